/** Makes calls as the person who is signed in, so that an expired token is nobody else's concern. */

import { abortable } from "./abortable.js";
import { AuthError } from "./errors.js";
import type { CallOptions } from "./options.js";
import type { Rpc } from "./runtime.js";
import { closeIfRefused, notSignedIn, renew, type SessionParts } from "./session-core.js";
import { isSameTurn, type Kept } from "./vault.js";

/** One call: its headers carry the credential, where cookies do not. */
export type Call<T> = (rpc: Rpc, headers: HeadersInit) => Promise<T>;

/** Makes a call as the signed-in person; refreshes and repeats it once if the token has expired. */
export type AsCaller = <T>(call: Call<T>, options: CallOptions | undefined) => Promise<T>;

/** Renews what a call saw. All who ask while one refresh is under way share it; who saw an earlier turn needs none. */
export type Refresh = (seen: Kept | undefined) => Promise<void>;

/** The single flight of refreshes. */
export function createRefresh(parts: SessionParts): Refresh {
  let flight: Promise<void> | undefined;
  return async (seen) => {
    if (!isSameTurn(parts.vault.read(), seen)) return;
    flight ??= parts.exclusive(() => renew(parts, seen)).finally(() => {
      flight = undefined;
    });
    await flight;
  };
}

/** Calls with these parts and this way to refresh. */
export function createAsCaller(parts: SessionParts, refresh: Refresh): AsCaller {
  const { rpc, vault } = parts;

  async function attempt<T>(seen: Kept, call: Call<T>): Promise<T> {
    try {
      return await rpc((service) => call(service, seen.access ? { authorization: `Bearer ${seen.access}` } : {}));
    } catch (error) {
      closeIfRefused(parts, seen, error);
      throw error;
    }
  }

  return async (call, options) => {
    const seen = vault.read();
    // The service would say no more, and most visitors of a page are not signed in.
    if (seen === undefined) throw notSignedIn();
    try {
      return await attempt(seen, call);
    } catch (error) {
      if (!(error instanceof AuthError) || error.reason !== "TOKEN_EXPIRED") throw error;
      await abortable(refresh(seen), options?.signal);
      const now = vault.read();
      // Somebody else may have signed in: what one person began is not done as another.
      if (now?.session !== seen.session) throw error;
      return attempt(now, call);
    }
  };
}
