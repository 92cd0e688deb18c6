/** The service and the offline verifier say the same of every token: good, expired or not valid. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { AuthError } from "countersign";
import { createVerifier } from "countersign/verify";
import { badClaims, badFooters, badPayloads, misspelt, type Sign } from "./support/bad-tokens.js";
import { AUDIENCE, createIssuer, ISSUER, NOW, usualClaims } from "./support/issuer.js";
import { signedIn } from "./support/people.js";
import { Service } from "./support/service.js";

const generated = new URL("../../dist/", import.meta.url).href;
const { AuthService } = (await import(
  `${generated}gen/countersign/v1/auth_service_pb.js`
)) as typeof import("../dist/gen/countersign/v1/auth_service_pb.js");
const { toAuthError } = (await import(`${generated}rpc-errors.js`)) as typeof import("../dist/rpc-errors.js");

type Verdict = "good" | "expired" | "invalid";

const signer = createIssuer();
let service: Service;
let kid: string;
/** Signs as the service would, for a session that there is. */
let sign: Sign;
let now = NOW;
let ask: { service(token: string): Promise<Verdict>; verifier(token: string): Promise<Verdict> };

before(async () => {
  const env = { COUNTERSIGN_SERVER__PUBLIC_URL: ISSUER, COUNTERSIGN_LOG__LEVEL: "error" };
  service = await Service.startWithClock(env, NOW);
  const { auth, session } = await signedIn(service, "bearer");
  const { session: own } = await auth.whoAmI({});
  kid = await service.adopt(signer.listed.key);
  const claims = { sub: session.user?.id, sid: own?.id, roles: [] };
  sign = (changes = {}, footer = { kid }) =>
    signer.token(typeof changes === "string" ? changes : { ...claims, ...changes }, footer);

  const { verify } = createVerifier({
    keysUrl: `${service.url}/.well-known/countersign/keys`,
    issuer: ISSUER,
    audience: AUDIENCE,
    clock: () => now,
  });
  const client = createClient(AuthService, createGrpcWebTransport({ baseUrl: service.url }));
  ask = {
    service: (token) => verdict(client.whoAmI({}, { headers: { authorization: `Bearer ${token}` } })),
    verifier: (token) => verdict(verify(token)),
  };
});
after(() => service?.remove());

async function setClocks(moment: number): Promise<void> {
  await service.setClock(moment);
  now = moment;
}

async function verdict(answer: Promise<unknown>): Promise<Verdict> {
  try {
    await answer;
    return "good";
  } catch (error) {
    const { code, reason } = error instanceof AuthError ? error : toAuthError(error);
    assert.equal(code, "unauthenticated", String(error));
    // Of a session that is over, or that never was, a verifier knows nothing.
    if (reason === "SESSION_ENDED") return "good";
    if (reason === "TOKEN_EXPIRED") return "expired";
    assert.equal(reason, "TOKEN_INVALID");
    return "invalid";
  }
}

/** What both say of it. */
async function agreed(token: string): Promise<Verdict> {
  const [online, offline] = await Promise.all([ask.service(token), ask.verifier(token)]);
  assert.equal(offline, online, `the verifier says ${offline}, the service ${online}: ${describe(token)}`);
  return online;
}

function describe(token: string): string {
  const [, , body = "", footer = ""] = token.split(".");
  return `${Buffer.from(body, "base64url").subarray(0, -64)} ${Buffer.from(footer, "base64url")} ${token}`;
}

/** Asks about all of them, sixteen at a time. */
async function allAre(expected: Verdict, tokens: readonly string[]): Promise<void> {
  const queue = tokens.values();
  const work = async () => {
    for (const token of queue) assert.equal(await agreed(token), expected, describe(token));
  };
  await Promise.all(Array.from({ length: 16 }, work));
}

test("of a good token, its owner's own, and one of an unknown session", async () => {
  const { storage } = await signedIn(service, "bearer");
  const { access } = JSON.parse(storage.getItem(`countersign ${service.url}`) ?? "{}") as { access: string };
  await allAre("good", [access, sign(), sign({ roles: ["admin", "billing.read"] }), sign(usualClaims())]);
});

test("of other spellings", async () => {
  const all = misspelt(sign, kid);
  // What cannot be in a header, or not at its ends, reaches no service.
  const sendable = all.filter((token) => /^[!-~]*$/.test(token));
  assert.equal(all.length - sendable.length, 4);
  await allAre("invalid", sendable);
});

test("of other footers, and other signers", async () => {
  const stranger = createIssuer(kid);
  const tokens = [
    ...badFooters(kid).map((footer) => sign({}, footer)),
    stranger.token(),
    signer.token({}, { kid: "k4.pid.x" }),
  ];
  await allAre("invalid", tokens);
});

test("of other claims", async () => {
  await allAre(
    "invalid",
    [...badClaims, ...badPayloads].map((claims) => sign(claims)),
  );
});

test("of claims written in ways that are right, if not the service's", async () => {
  const spaced = JSON.stringify(usualClaims(), undefined, 1);
  const escaped = JSON.stringify(usualClaims()).replaceAll("/", "\\/").replace('"aud"', '"\\u0061ud"');
  const later = { ...usualClaims(), later: { sub: "x", exp: 1, of: [{ sub: "y" }] }, text: '":' };
  const more = JSON.stringify(later).replaceAll('\\"', "\\u0022");
  const others = [
    { uep: -1 },
    { aal: 255 },
    { amr: ["otp", "pwd"] },
    { amr: [] },
    { roles: [`a-_.${"9".repeat(28)}`] },
  ];
  await allAre(
    "good",
    [spaced, escaped, more, ...others, { exp: "9999-12-31T23:59:59Z" }].map((claims) => sign(claims)),
  );
});

test("of the moments at which a token begins and ends to be good", async () => {
  const day = 86_400;
  const moments: readonly [number, Verdict][] = [
    [-day, "invalid"],
    [-31, "invalid"],
    [-30, "good"],
    [0, "good"],
    [329, "good"],
    [330, "expired"],
    [331, "expired"],
    [900, "expired"],
    // By then nobody knows the key any more, which signs no longer.
    [day, "invalid"],
  ];
  try {
    for (const [seconds, expected] of moments) {
      await setClocks(NOW + seconds * 1000);
      await allAre(expected, [sign()]);
    }
    await allAre("invalid", [sign({ typ: "refresh" }), sign({ aud: "other" }), sign({}, { kid: "k4.pid.x" })]);
  } finally {
    await setClocks(NOW);
  }
});

test("of tokens up to the longest, and of longer ones", async () => {
  const long = (length: number) => sign({ filler: "x".repeat(length) });
  let length = 2048;
  while (long(length + 1).length <= 4096) length += 1;
  await allAre("good", [long(length)]);
  await allAre("invalid", [long(length + 1), long(length + 2), "v4.public.".padEnd(8000, "A")]);
});
