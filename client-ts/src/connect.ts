/** For those who have a Connect transport of their own, to services that accept our tokens. */

import type { Interceptor } from "@connectrpc/connect";
import { abortable } from "./abortable.js";
import { MOST_REPEATS } from "./caller.js";
import type { AuthClient } from "./client.js";
import { AuthError } from "./errors.js";
import { reasonOf } from "./rpc-errors.js";
import type { Credential } from "./session.js";

/**
 * Adds the access token of a client in bearer mode, and refreshes and repeats a call once that is refused with
 * `TOKEN_EXPIRED`: with a `google.rpc.ErrorInfo` of the domain `countersign`, as the service itself refuses. A call that
 * streams is not repeated. In cookie mode the transport's `fetch` has to say `credentials: "include"`.
 *
 * A refusal by that other service signs nobody out: it may be set up wrongly. Every service that the transport leads to sees
 * the token.
 */
export function authInterceptor({ session }: AuthClient): Interceptor {
  return (next) => async (request) => {
    async function persist(credential: Credential, repeats: number): Promise<Awaited<ReturnType<typeof next>>> {
      if (credential.token !== undefined) request.header.set("authorization", `Bearer ${credential.token}`);
      try {
        return await next(request);
      } catch (error) {
        if (repeats === 0 || request.stream || reasonOf(error) !== "TOKEN_EXPIRED") throw error;
        const renewed = await abortable(credential.renew(), request.signal).catch(own);
        // Somebody else may have signed in: what one person began is not done as another.
        if (renewed === undefined) throw error;
        return persist(renewed, renewed.isFresh ? 0 : repeats - 1);
      }
    }
    const credential = session.credential();
    return credential === undefined ? next(request) : persist(credential, MOST_REPEATS);
  };
}

/** What the transport's callers expect to be thrown. */
function own(error: unknown): never {
  throw error instanceof AuthError ? (error.cause ?? error) : error;
}
