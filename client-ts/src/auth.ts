/** The service's other calls, each written out: types and help in the editor come from the `.proto` files as they are. */

import type { Client } from "@connectrpc/connect";
import type { AsCaller } from "./caller.js";
import type { AuthService } from "./gen/countersign/v1/auth_service_pb.js";
import type { SessionParts } from "./session-core.js";

/**
 * The calls of `AuthService`, as the generated code types them, with refreshing and with `AuthError`. Those that open, renew
 * and end the session are in `AuthSession`, which must hear of them.
 */
export type AuthCalls = Omit<Client<typeof AuthService>, "login" | "refresh" | "logout">;

/** The calls over these parts. */
export function createAuthCalls({ rpc, status }: SessionParts, asCaller: AsCaller): AuthCalls {
  return {
    signUp: (request, options) => rpc(({ client }) => client.signUp(request, options)),
    verifyEmail: (request, options) => rpc(({ client }) => client.verifyEmail(request, options)),
    resendVerification: (request, options) => rpc(({ client }) => client.resendVerification(request, options)),
    requestPasswordReset: (request, options) => rpc(({ client }) => client.requestPasswordReset(request, options)),
    resetPassword: (request, options) => rpc(({ client }) => client.resetPassword(request, options)),
    whoAmI: (request, options) =>
      asCaller(async ({ client, sameOrFresh }, headers) => {
        const answer = await client.whoAmI(request, { ...options, headers: merge(options?.headers, headers) });
        const { state, session, user } = status.get();
        if (session !== undefined && session === answer.session?.id) {
          status.set({ state, session, user: sameOrFresh(user, answer.user) });
        }
        return answer;
      }, options),
  };
}

/** Our headers beside the app's own. */
export function merge(own: HeadersInit | undefined, ours: HeadersInit): Headers {
  const merged = new Headers(own);
  for (const [name, value] of new Headers(ours)) merged.set(name, value);
  return merged;
}
