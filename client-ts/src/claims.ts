/** What an access token says, and whether that is for us and for now: a good signature alone lets nobody in. */

/** By so much may the clocks differ. */
export const LEEWAY_MS = 30_000;
const ID = /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/;
const ROLE = /^[a-z][a-z\d_.-]{0,31}$/;

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
    const json = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload);
    const claims: unknown = JSON.parse(json);
    // Of two members of one name JSON.parse keeps the last, and another reader might keep the first.
    if (countMembers(json) !== countMembers(JSON.stringify(claims))) return undefined;
    return readClaims(claims as Readonly<Record<string, unknown>>);
  } catch {
    return undefined;
  }
}

/** How many members the objects have that are written here. */
function countMembers(json: string): number {
  const texts = json.match(/"(?:[^"\\]|\\.)*"\s*:?/g) ?? [];
  return texts.filter((text) => text.endsWith(":")).length;
}

/** Throws at the first claim that is missing or of another type. */
function readClaims(of: Readonly<Record<string, unknown>>): Claims {
  if (of["typ"] !== "access") throw new TypeError("typ");
  return {
    iss: text(of["iss"]),
    aud: text(of["aud"]),
    sub: id(of["sub"]),
    sid: id(of["sid"]),
    uep: integer(of["uep"]),
    jti: id(of["jti"]),
    iat: moment(of["iat"]),
    nbf: moment(of["nbf"]),
    exp: moment(of["exp"]),
    typ: "access",
    roles: texts(of["roles"], ROLE),
    auth_time: moment(of["auth_time"]),
    amr: texts(of["amr"]),
    aal: integer(of["aal"], 0, 255),
  };
}

function text(value: unknown, form = /^\P{Surrogate}*$/u): string {
  if (typeof value !== "string" || !form.test(value)) throw new TypeError("not such a text");
  return value;
}

function texts(value: unknown, form?: RegExp): readonly string[] {
  if (!Array.isArray(value)) throw new TypeError("not a list");
  return value.map((item) => text(item, form));
}

function id(value: unknown): string {
  return text(value, ID);
}

function integer(value: unknown, least = -Infinity, most = Infinity): number {
  if (!Number.isSafeInteger(value)) throw new TypeError("not an integer");
  const number = value as number;
  if (number < least || number > most) throw new RangeError("not within bounds");
  return number;
}

function moment(value: unknown): Date {
  const date = new Date(text(value));
  // In its one spelling; Date takes much more, and the 30th of February for a day in March.
  if (date.toISOString().replace(".000Z", "Z") !== value) throw new TypeError("not a moment");
  return date;
}
