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

/**
 * Renews what a call saw. All who ask while one refresh is under way share it; who saw an earlier turn needs none. Says whether
 * there was a refresh now, or only news of another.
 */
export type Refresh = (seen: Kept | undefined) => Promise<boolean>;

/** Once for another tab's refresh, which may be old news that the storage brought late, and once for our own. */
export const MOST_REPEATS = 2;

/** The single flight of refreshes. */
export function createRefresh(parts: SessionParts): Refresh {
  let flight: Promise<boolean> | undefined;
  let pause: { readonly until: number; readonly error: AuthError } | undefined;
  return async (seen) => {
    if (!isSameTurn(parts.vault.read(), seen)) return false;
    // The service said when to come back; all the calls of all its clients would keep it down.
    if (pause !== undefined && performance.now() < pause.until) throw pause.error;
    flight ??= parts
      .exclusive(() => renew(parts, seen))
      .finally(() => {
        flight = undefined;
      });
    try {
      return await flight;
    } catch (error) {
      if (error instanceof AuthError && error.retryAfterMs !== undefined) {
        pause = { until: performance.now() + error.retryAfterMs, error };
      }
      throw error;
    }
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

  async function persist<T>(seen: Kept, call: Call<T>, signal: AbortSignal | undefined, repeats: number): Promise<T> {
    try {
      return await attempt(seen, call);
    } catch (error) {
      if (repeats === 0 || !(error instanceof AuthError) || error.reason !== "TOKEN_EXPIRED") throw error;
      const isFresh = await abortable(refresh(seen), signal);
      const now = vault.read();
      // Somebody else may have signed in: what one person began is not done as another.
      if (now?.session !== seen.session) throw error;
      return persist(now, call, signal, isFresh ? 0 : repeats - 1);
    }
  }

  return async (call, options) => {
    const seen = vault.read();
    // The service would say no more, and most visitors of a page are not signed in.
    if (seen === undefined) throw notSignedIn();
    return persist(seen, call, options?.signal, MOST_REPEATS);
  };
}
