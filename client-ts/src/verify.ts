/** Verifies access tokens without asking the service: the entry point of other services, in Node.js, at the edge, in browsers. */

import { openVerifier, type Verifier, type VerifierOptions } from "./verifier.js";

export type { Claims } from "./claims.js";
export { AuthError } from "./errors.js";
export type { PublicKey } from "./public-key.js";
export type { Verifier, VerifierOptions, VerifierSettings } from "./verifier.js";

/** Makes a verifier. Nothing is fetched before the first token. */
export function createVerifier(options: VerifierOptions): Verifier {
  const { verify } = openVerifier(options);
  return { verify };
}
