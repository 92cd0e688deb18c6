/** What people do with their own accounts; the calls that change the session tell it. */

import type { Client } from "@connectrpc/connect";
import { merge } from "./auth.js";
import type { AsCaller } from "./caller.js";
import type { AccountService } from "./gen/countersign/v1/account_service_pb.js";
import { close, open, prove, type SessionParts } from "./session-core.js";

/**
 * The calls of `AccountService`, as the generated code types them, with refreshing and with `AuthError`. The session hears of
 * those that renew, replace or end it, so that nothing else is left to do after them. What is refused with `STEP_UP_REQUIRED`
 * passes after `reauthenticate`.
 */
export type AccountCalls = Client<typeof AccountService>;

/** The calls over these parts. */
export function createAccountCalls(parts: SessionParts, asCaller: AsCaller): AccountCalls {
  const { exclusive, vault } = parts;
  const call =
    <Request, Options extends { headers?: HeadersInit; signal?: AbortSignal }, Answer>(
      make: (account: Client<typeof AccountService>) => (request: Request, options: Options) => Promise<Answer>,
      then: (answer: Answer, request: Request) => void = () => undefined,
      isAlone = false,
    ) =>
    (request: Request, options?: Options): Promise<Answer> =>
      asCaller(async ({ account }, headers) => {
        const work = async () => {
          const answer = await make(account)(request, {
            ...options,
            headers: merge(options?.headers, headers),
          } as Options);
          then(answer, request);
          return answer;
        };
        // After a refresh that is under way, whose cookies would come back otherwise.
        return isAlone ? exclusive(work) : work();
      }, options);
  return {
    getAccount: call((account) => account.getAccount),
    updateProfile: call((account) => account.updateProfile),
    changePassword: call(
      (account) => (request, options) => account.changePassword({ deviceToken: vault.device(), ...request }, options),
      ({ signedIn }) => void open(parts, signedIn),
      true,
    ),
    changeEmail: call((account) => account.changeEmail),
    confirmEmailChange: call((account) => account.confirmEmailChange),
    deleteAccount: call(
      (account) => account.deleteAccount,
      () => close(parts),
      true,
    ),
    exportAccount: call((account) => account.exportAccount),
    reauthenticate: call(
      (account) => account.reauthenticate,
      ({ signedIn }) => void prove(parts, signedIn),
      true,
    ),
    listSessions: call((account) => account.listSessions),
    revokeSession: call(
      (account) => account.revokeSession,
      (_, { sessionId }) => {
        if (sessionId === vault.read()?.session) close(parts);
      },
      true,
    ),
    revokeOtherSessions: call((account) => account.revokeOtherSessions),
  };
}
