/** PASETO v4.public and nothing else of PASETO, on WebCrypto, so that verifying costs a page or an edge function no library. */

const HEADER = "v4.public.";
const SIGNATURE_BYTES = 64;
const KEY_HEADER = "k4.public.";

/** A token taken apart; nothing in it is to be believed before `verifySignature` said so. */
export interface UntrustedToken {
  readonly message: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
  readonly footer: Uint8Array<ArrayBuffer>;
}

/** Takes a token apart; `undefined` if it is written in any way but the one that its issuer writes. */
export function parseToken(text: string): UntrustedToken | undefined {
  if (!text.startsWith(HEADER)) return undefined;
  const parts = text.slice(HEADER.length).split(".");
  // An empty footer after a dot would be a second spelling of a token without one.
  if (parts.length > 2 || parts[1] === "") return undefined;
  const body = decode(parts[0] ?? "");
  const footer = decode(parts[1] ?? "");
  if (body === undefined || footer === undefined || body.length < SIGNATURE_BYTES) return undefined;
  const split = body.length - SIGNATURE_BYTES;
  return { message: body.slice(0, split), signature: body.slice(split), footer };
}

/** Reads a public key as PASERK writes it, `k4.public.…`; rejects anything else. */
export async function importKey(paserk: string): Promise<CryptoKey> {
  const bytes = paserk.startsWith(KEY_HEADER) ? decode(paserk.slice(KEY_HEADER.length)) : undefined;
  if (bytes === undefined) throw new TypeError("not a k4.public key");
  return crypto.subtle.importKey("raw", bytes, "Ed25519", false, ["verify"]);
}

/** Whether the holder of the key signed this message with this footer, and without an implicit assertion. */
export function verifySignature(key: CryptoKey, token: UntrustedToken): Promise<boolean> {
  const pieces = [new TextEncoder().encode(HEADER), token.message, token.footer, new Uint8Array()];
  return crypto.subtle.verify("Ed25519", key, token.signature, preAuthenticationEncoding(pieces));
}

/** PAE of the PASETO specification: the number of pieces, then each after its length; counts in 64 bits, little endian. */
function preAuthenticationEncoding(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(8 + pieces.reduce((sum, piece) => sum + 8 + piece.length, 0));
  const view = new DataView(all.buffer);
  view.setUint32(0, pieces.length, true);
  let at = 8;
  for (const piece of pieces) {
    view.setUint32(at, piece.length, true);
    all.set(piece, at + 8);
    at += 8 + piece.length;
  }
  return all;
}

/** Base64url in its one canonical form: no padding, no other alphabet, no bits set that are not used. */
function decode(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return undefined;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const again = btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return again === text ? Uint8Array.from(binary, (char) => char.charCodeAt(0)) : undefined;
}
