/** The service's other calls, made for the visitor; those that renew, replace or end the session write its cookies. */

import type { AccountCalls } from "../account.js";
import { type AuthCalls, merge } from "../auth.js";
import type { LateRpc } from "../late-rpc.js";
import type { Rpc } from "../runtime.js";
import { callHeaders, knownDevice, readCookies, writeCookies } from "./request.js";
import { tokensOf } from "./service.js";
import type { ServerAuthSettings } from "./settings.js";

/** What letters lead to: the calls that nobody has to be signed in for. */
export type LetterCalls = Pick<
  AuthCalls,
  "verifyEmail" | "resendVerification" | "requestPasswordReset" | "resetPassword"
>;

/** Both services' calls for whoever sent the request that is being answered. */
export interface VisitorCalls {
  readonly auth: LetterCalls;
  readonly account: AccountCalls;
}

type Method<Request, Options, Answer> = (request: Request, options: Options) => Promise<Answer>;

/** The calls of this service. */
export function createVisitorCalls(settings: ServerAuthSettings, rpc: LateRpc): VisitorCalls {
  const anyone =
    <Request, Options extends { headers?: HeadersInit }, Answer>(
      pick: (rpc: Rpc) => Method<Request, Options, Answer>,
    ) =>
    (request: Request, options?: Options, token?: string): Promise<Answer> =>
      rpc(async (service) => {
        const headers = merge(options?.headers, await callHeaders(token));
        return pick(service)(request, { ...options, headers } as Options);
      });
  const caller =
    <Request, Options extends { headers?: HeadersInit }, Answer>(
      pick: (rpc: Rpc) => Method<Request, Options, Answer>,
      then: (answer: Answer) => Promise<void> = async () => undefined,
    ) =>
    async (request: Request, options?: Options): Promise<Answer> => {
      const answer = await anyone(pick)(request, options, (await readCookies(settings)).access);
      await then(answer);
      return answer;
    };
  return {
    auth: {
      verifyEmail: anyone(({ client }) => client.verifyEmail),
      resendVerification: anyone(({ client }) => client.resendVerification),
      requestPasswordReset: anyone(({ client }) => client.requestPasswordReset),
      resetPassword: anyone(({ client }) => client.resetPassword),
    },
    account: {
      getAccount: caller(({ account }) => account.getAccount),
      updateProfile: caller(({ account }) => account.updateProfile),
      changePassword: caller(
        ({ account }) =>
          async (request, options) =>
            account.changePassword({ ...(await knownDevice(settings)), ...request }, options),
        ({ signedIn }) => writeCookies(settings, tokensOf(signedIn)),
      ),
      changeEmail: caller(({ account }) => account.changeEmail),
      confirmEmailChange: caller(({ account }) => account.confirmEmailChange),
      deleteAccount: caller(
        ({ account }) => account.deleteAccount,
        () => writeCookies(settings, undefined),
      ),
      exportAccount: caller(({ account }) => account.exportAccount),
      reauthenticate: caller(
        ({ account }) => account.reauthenticate,
        ({ signedIn }) => writeCookies(settings, tokensOf(signedIn)),
      ),
      listSessions: caller(({ account }) => account.listSessions),
      revokeSession: caller(({ account }) => account.revokeSession),
      revokeOtherSessions: caller(({ account }) => account.revokeOtherSessions),
    },
  };
}
