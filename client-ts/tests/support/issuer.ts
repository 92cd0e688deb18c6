/** Signs tokens as the service does, so that a test can make every token that the service would never make. */

import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

export const ISSUER = "https://auth.example.com";
export const AUDIENCE = "countersign";
/** The moment at which the tests take place. */
export const NOW = Date.parse("2026-11-25T12:00:00Z");

export interface Issuer {
  readonly kid: string;
  /** As the service lists it. */
  readonly listed: {
    readonly kid: string;
    readonly key: string;
    readonly status: string;
    readonly not_after: string | null;
  };
  /** A token with these claims in place of the usual ones; a payload or a footer that is text goes in as it is. */
  token(claims?: object | string, footer?: object | string): string;
}

export function createIssuer(kid = "k4.pid.test"): Issuer {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  return {
    kid,
    listed: { kid, key: `k4.public.${raw.toString("base64url")}`, status: "active", not_after: null },
    token: (claims = {}, footer = { kid }) => seal(privateKey, text(claims, usualClaims()), text(footer, {})),
  };
}

export function usualClaims(): Record<string, unknown> {
  return {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: "01a21249-4c42-7e9d-af60-cd2513ae5b02",
    sid: "01a21249-4c80-7441-9493-8c81caf04e11",
    uep: 0,
    jti: "01a21249-4c80-7866-9907-c2a86fe2db8d",
    iat: at(0),
    nbf: at(0),
    exp: at(300),
    typ: "access",
    roles: ["admin"],
    auth_time: at(-60),
    amr: ["pwd"],
    aal: 1,
  };
}

/** So many seconds after the moment of the tests, as tokens write it. */
export function at(seconds: number): string {
  return new Date(NOW + seconds * 1000).toISOString().replace(".000Z", "Z");
}

function text(value: object | string, usual: object): string {
  return typeof value === "string" ? value : JSON.stringify({ ...usual, ...value });
}

function seal(key: KeyObject, payload: string, footer: string): string {
  const pieces = ["v4.public.", payload, footer, ""].map((piece) => Buffer.from(piece));
  const count = (length: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(length));
    return bytes;
  };
  const signed = Buffer.concat([count(4), ...pieces.flatMap((piece) => [count(piece.length), piece])]);
  const body = Buffer.concat([Buffer.from(payload), sign(null, signed, key)]).toString("base64url");
  return `v4.public.${body}${footer === "" ? "" : `.${Buffer.from(footer).toString("base64url")}`}`;
}
