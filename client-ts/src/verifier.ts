/** Verifies access tokens without asking the service. */

import { type Claims, checkClaims } from "./claims.js";
import { AuthError, type Reason } from "./errors.js";
import { type FindKey, fetchedKeys, fixedKeys, type KeySet } from "./key-set.js";
import { parseToken, verifySignature } from "./paseto.js";
import type { PublicKey } from "./public-key.js";

const LONGEST_TOKEN = 4096;
const LONGEST_FOOTER = 128;

/** Settings of `createVerifier`, beside where the keys come from. */
export interface VerifierSettings {
  /** The service whose tokens count: its `server.public_url`. */
  readonly issuer: string;
  /** Whom the tokens must be for: the service's `tokens.audience`. */
  readonly audience: string;
  /** Called instead of the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** The time in milliseconds since 1970; `Date.now` by default. */
  readonly clock?: (() => number) | undefined;
}

/** Settings of `createVerifier`: the keys are fetched and kept, or given. */
export type VerifierOptions = VerifierSettings &
  (
    | { readonly keysUrl: string | URL; readonly keys?: undefined }
    | { readonly keys: readonly PublicKey[]; readonly keysUrl?: undefined }
  );

/** Verifies tokens of one service. */
export interface Verifier {
  /**
   * What the token says, if it is good. Rejects with an `AuthError`: `TOKEN_INVALID`; `TOKEN_EXPIRED`, for which the token's
   * owner has to refresh; or the code `"unavailable"` if its key is not known and cannot be fetched.
   *
   * A session that was ended since passes until its token expires, within minutes. Ask `whoAmI` where that is too long.
   */
  verify(token: string): Promise<Claims>;
}

/** A verifier, and the keys that it verifies with. Nothing is fetched before the first token. */
export function openVerifier(options: VerifierOptions): Verifier & { readonly keys: KeySet } {
  const { clock = Date.now, fetch = (input, init) => globalThis.fetch(input, init) } = options;
  const keys =
    options.keysUrl === undefined ? fixedKeys(options.keys, clock) : fetchedKeys(options.keysUrl, fetch, clock);
  return {
    keys,
    async verify(token) {
      const payload = await authenticPayload(token, keys.find);
      const claims = payload ? checkClaims(payload, options, clock()) : "invalid";
      if (claims === "expired") throw refused("TOKEN_EXPIRED", "the token has expired");
      if (claims === "invalid") throw refused("TOKEN_INVALID", "the token is not valid");
      return claims;
    },
  };
}

function refused(reason: Reason, message: string): AuthError {
  return new AuthError("unauthenticated", message, { reason });
}

async function authenticPayload(text: string, findKey: FindKey): Promise<Uint8Array | undefined> {
  const token = text.length <= LONGEST_TOKEN ? parseToken(text) : undefined;
  const kid = token && kidOf(token.footer);
  if (token === undefined || kid === undefined) return undefined;
  // The footer is believed for nothing but the choice among our own keys.
  const key = await findKey(kid);
  return key && (await verifySignature(key, token)) ? token.message : undefined;
}

function kidOf(footer: Uint8Array): string | undefined {
  if (footer.length > LONGEST_FOOTER) return undefined;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(footer);
    const { kid } = JSON.parse(text) as Record<string, unknown>;
    // In its one spelling, and nothing beside it.
    return typeof kid === "string" && JSON.stringify({ kid }) === text ? kid : undefined;
  } catch {
    return undefined;
  }
}
