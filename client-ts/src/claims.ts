/** What an access token says, and whether that is for us and for now: a good signature alone lets nobody in. */

const LEEWAY_MS = 30_000;
// What the service writes; Date.parse alone would take much more.
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** The claims of a verified access token, under their own names; the service's docs/tokens.md explains each. */
export interface Claims {
  /** The service that signed it. */
  readonly iss: string;
  /** Whom it is for. */
  readonly aud: string;
  /** The id of the user. */
  readonly sub: string;
  /** The id of the session. */
  readonly sid: string;
  /** A counter that rises when all sessions of the user are ended. */
  readonly uep: number;
  /** The id of the token: remember this or `sid`, never the token's text. */
  readonly jti: string;
  /** When it was signed. */
  readonly iat: Date;
  /** From when on it is valid. */
  readonly nbf: Date;
  /** Until when it is valid. */
  readonly exp: Date;
  /** What kind of token it is. */
  readonly typ: "access";
  /** What the user may do. */
  readonly roles: readonly string[];
  /** When the person last proved who they are. */
  readonly auth_time: Date;
  /** How they did (RFC 8176): `"pwd"`. */
  readonly amr: readonly string[];
  /** How sure that makes us (NIST SP 800-63B). */
  readonly aal: number;
}

/** What a verifier expects of a token. */
export interface Expected {
  readonly issuer: string;
  readonly audience: string;
}

/** The claims in a payload whose signature was verified, or what is wrong with them. */
export function checkClaims(
  payload: Uint8Array,
  { issuer, audience }: Expected,
  now: number,
): Claims | "invalid" | "expired" {
  const claims = parse(payload);
  if (claims === undefined || claims.iss !== issuer || claims.aud !== audience) return "invalid";
  if (now + LEEWAY_MS < claims.nbf.getTime()) return "invalid";
  return now >= claims.exp.getTime() + LEEWAY_MS ? "expired" : claims;
}

function parse(payload: Uint8Array): Claims | undefined {
  try {
    const claims: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload));
    return readClaims(claims as Readonly<Record<string, unknown>>);
  } catch {
    return undefined;
  }
}

/** Throws at the first claim that is missing or of another type. */
function readClaims(of: Readonly<Record<string, unknown>>): Claims {
  if (of["typ"] !== "access") throw new TypeError("typ");
  return {
    iss: text(of["iss"]),
    aud: text(of["aud"]),
    sub: text(of["sub"]),
    sid: text(of["sid"]),
    uep: integer(of["uep"]),
    jti: text(of["jti"]),
    iat: moment(of["iat"]),
    nbf: moment(of["nbf"]),
    exp: moment(of["exp"]),
    typ: "access",
    roles: texts(of["roles"]),
    auth_time: moment(of["auth_time"]),
    amr: texts(of["amr"]),
    aal: integer(of["aal"]),
  };
}

function text(value: unknown): string {
  if (typeof value !== "string" || value === "") throw new TypeError("not a text");
  return value;
}

function texts(value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw new TypeError("not a list");
  return value.map(text);
}

function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new TypeError("not an integer");
  return value as number;
}

function moment(value: unknown): Date {
  const date = new Date(RFC_3339.test(text(value)) ? text(value) : Number.NaN);
  if (Number.isNaN(date.getTime())) throw new TypeError("not a moment");
  return date;
}
