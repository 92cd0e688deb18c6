/** Tokens that nobody may accept: the lists, so that more than one verifier can be asked about them. */

import { AUDIENCE, at, ISSUER, NOW, usualClaims } from "./issuer.js";

/** Signs these claims in place of the usual ones, with this footer in place of the right one. */
export type Sign = (claims?: object | string, footer?: object | string) => string;

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+/= ";

/** So many tokens that differ from this one by a character. */
export function changed(token: string, count: number): string[] {
  const others = new Set<string>();
  for (let index = 0; others.size < count; index += 1) {
    const at = index % token.length;
    const char = ALPHABET[(Math.floor(index / token.length) * 7 + at) % ALPHABET.length] ?? "";
    const other = token.slice(0, at) + char + token.slice(at + 1);
    if (other !== token) others.add(other);
  }
  return [...others];
}

/** What is almost the token, and what is almost a token. */
export function misspelt(sign: Sign, kid: string): string[] {
  const token = sign();
  const [, , body = "", footer = ""] = token.split(".");
  const unfooted = sign({}, "");
  return [
    "",
    "v4.public.",
    "v4.public..",
    ".",
    `${token}.`,
    `${token}=`,
    `${token}.x`,
    ` ${token}`,
    `${token}\n`,
    `${token}\0`,
    token.replace("v4", "V4"),
    token.replace("v4", "v3"),
    token.replace("public", "local"),
    token.replace("v4.public.", ""),
    `v4.public.${body}`,
    `v4.public.${body}.`,
    `v4.public.${body}=.${footer}`,
    `v4.public.${body}\n.${footer}`,
    `v4.public..${footer}`,
    unfooted,
    `${unfooted}.`,
    `${unfooted}.${footer}`,
    `v4.public.${footer}.${body}`,
    `v4.public.${body}.${footer}.${footer}`,
    token.replaceAll("-", "+").replaceAll("_", "/"),
    `v4.public.${body}.${Buffer.from(JSON.stringify({ kid }, undefined, 1)).toString("base64url")}`,
  ].filter((other) => other !== token);
}

/** Footers that are well signed. */
export function badFooters(kid: string): string[] {
  return [
    "{}",
    "null",
    "[]",
    '"x"',
    "1",
    "{",
    `{"kid":"${kid}"`,
    `["${kid}"]`,
    '{"kid":1}',
    '{"kid":null}',
    '{"kid":"k4.pid.other"}',
    `{"kid":"${kid}","jku":"https://evil.test"}`,
    `{"kid":"${kid}"}${" ".repeat(128)}`,
    `\uFEFF{"kid":"${kid}"}`,
    '{"kid":"__proto__"}',
    '{"kid":"constructor"}',
    // One kid has one spelling, too.
    `{"kid":"${kid}"}\n`,
    `{"kid": "${kid}"}`,
    `{"\\u006bid":"${kid}"}`,
    `{"kid":"k4.pid.other","kid":"${kid}"}`,
    `{"kid":"${kid}","kid":"${kid}"}`,
  ];
}

/** Claims that are well signed, each in place of a usual one. */
export const badClaims: readonly object[] = [
  ...Object.keys(usualClaims()).flatMap((name) =>
    [undefined, null, "", {}, 1.5, true, "x", -1, []]
      .filter((value) => !((name === "uep" && value === -1) || (Array.isArray(value) && /^(roles|amr)$/.test(name))))
      .map((value) => ({ [name]: value })),
  ),
  { iss: `${ISSUER}/` },
  { iss: [ISSUER] },
  { aud: "other" },
  { aud: [AUDIENCE] },
  { aud: "Countersign" },
  { typ: "refresh" },
  { typ: "Access" },
  { roles: "admin" },
  { roles: [1] },
  { roles: ["Admin"] },
  { roles: ["aB"] },
  { roles: ["a".repeat(33)] },
  { amr: "pwd" },
  { uep: "0" },
  { aal: "1" },
  { aal: 256 },
  { sub: "01A21249-4C42-7E9D-AF60-CD2513AE5B02" },
  { sub: "{01a21249-4c42-7e9d-af60-cd2513ae5b02}" },
  { sid: "01a212494c427e9daf60cd2513ae5b02" },
  { jti: "urn:uuid:01a21249-4c42-7e9d-af60-cd2513ae5b02" },
  { exp: "2099" },
  { exp: "1 hour" },
  { exp: "2099-01-01" },
  { exp: "2099-13-01T00:00:00Z" },
  { exp: "2099-02-29T00:00:00Z" },
  { exp: "2099-01-01T24:00:00Z" },
  { exp: "2099-12-31T23:59:60Z" },
  { exp: "2099-01-01T00:00:00.5Z" },
  { exp: "2099-01-01T00:00:00.000Z" },
  { exp: "2099-01-01T00:00:00+00:00" },
  { exp: "2099-01-01T00:00:00-00:00" },
  { exp: "2099-01-01t00:00:00z" },
  { exp: "+002099-01-01T00:00:00Z" },
  { exp: NOW + 1 },
  { exp: "2099-01-01T00:00:00" },
  { nbf: "yesterday" },
  { iat: "2026-11-25 12:00:00Z" },
];

/** Payloads that are well signed. */
export const badPayloads: readonly string[] = [
  "",
  "null",
  "[]",
  "1",
  '"x"',
  "{",
  `\uFEFF${JSON.stringify(usualClaims())}`,
  `[${JSON.stringify(usualClaims())}]`,
  JSON.stringify(Object.values(usualClaims())),
  JSON.stringify(usualClaims()).replace('"pwd"', '"\\ud800"'),
  // Of two claims of one name one reader takes the first, and another the last.
  JSON.stringify(usualClaims()).replace("{", `{"exp":"${at(86_400)}",`),
  JSON.stringify(usualClaims()).replace("{", '{"roles" :["owner"],'),
  JSON.stringify(usualClaims()).replace("{", '{"\\u0073ub":"01a21249-4c42-7e9d-af60-cd2513ae5b03",'),
];
