/** Refreshes once for all requests that come with the same expired token: each alone would look like a thief with a copy. */

import type { LateRpc } from "../late-rpc.js";
import type { Tokens } from "./cookies.js";
import { tokensOf } from "./service.js";

/** What follows a refresh token; rejects with an AuthError if nothing does, or if that cannot be known. */
export type Renew = (refreshToken: string, visitor: HeadersInit) => Promise<Tokens>;

/**
 * The longest grace that the service can be set to. A page that answers late keeps its browser on the old cookies for so long,
 * and this process then needs to ask nobody.
 */
const REMEMBERED_MS = 60_000;

/** Renewals by this service. Other processes are the service's concern: it gives two at once the same successor. */
export function createRenew(rpc: LateRpc): Renew {
  const renewals = new Map<string, { readonly at: number; readonly tokens: Promise<Tokens> }>();

  function forgetOld(now: number): void {
    for (const [token, { at }] of renewals) {
      // The oldest come first.
      if (now - at < REMEMBERED_MS) return;
      renewals.delete(token);
    }
  }

  return async function renew(refreshToken, visitor): Promise<Tokens> {
    const now = performance.now();
    forgetOld(now);
    let renewal = renewals.get(refreshToken);
    if (renewal === undefined) {
      const answer = rpc(({ client, delivery }) => client.refresh({ refreshToken, delivery }, { headers: visitor }));
      renewal = { at: now, tokens: answer.then(({ signedIn }) => tokensOf(signedIn)) };
      renewals.set(refreshToken, renewal);
      renewal.tokens.catch(() => renewals.delete(refreshToken));
    }
    const tokens = await renewal.tokens;
    // A request may be so late that its successor has been replaced as well.
    return renewals.has(tokens.refresh) ? renew(tokens.refresh, visitor) : tokens;
  };
}
