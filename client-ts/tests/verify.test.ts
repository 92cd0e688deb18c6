/** Offline verification: what passes, and all that must not. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { type Claims, createVerifier, type Verifier } from "countersign/verify";
import { badClaims, badFooters, badPayloads, misspelt } from "./support/bad-tokens.js";
import { AUDIENCE, at, createIssuer, ISSUER, NOW, usualClaims } from "./support/issuer.js";
import { address, createDevice, PASSWORD, refusal } from "./support/people.js";
import { Service } from "./support/service.js";

// Not for users, so no entry point leads there; the official vectors need it without our claims around.
const inside = new URL("../../dist/paseto.js", import.meta.url).href;
const { importKey, parseToken, verifySignature } = (await import(inside)) as typeof import("../dist/paseto.js");

const vectors = new URL("../../../tests/vectors/paseto/", import.meta.url);
const issuer = createIssuer();

function verifier(now = NOW): Verifier {
  return createVerifier({ keys: [issuer.listed], issuer: ISSUER, audience: AUDIENCE, clock: () => now });
}

async function reason(token: string, by = verifier()): Promise<string | undefined> {
  return (await refusal(by.verify(token))).reason;
}

test("the official vectors pass or fail as they should", async () => {
  interface Vector {
    readonly name: string;
    readonly "expect-fail": boolean;
    readonly "public-key"?: string;
    readonly token: string;
    readonly payload: string | null;
    readonly footer: string;
    readonly "implicit-assertion": string;
  }
  const { tests } = JSON.parse(await readFile(new URL("v4.json", vectors), "utf8")) as { tests: Vector[] };
  const seen: string[] = [];
  for (const vector of tests.filter(({ name }) => /-[SF]-/.test(name))) {
    const hex = vector["public-key"] ?? "1eb9dbbbbc047c03fd70604e0071f0987e16b28b757225c11f00415d0e20b1a2";
    const key = await importKey(`k4.public.${Buffer.from(hex, "hex").toString("base64url")}`);
    const token = parseToken(vector.token);
    const isGood = token !== undefined && (await verifySignature(key, token));
    // We use no implicit assertion, so the vector that has one must fail here.
    assert.equal(isGood, !vector["expect-fail"] && vector["implicit-assertion"] === "", vector.name);
    if (isGood) {
      assert.equal(Buffer.from(token.message).toString(), vector.payload);
      assert.equal(Buffer.from(token.footer).toString(), vector.footer);
      seen.push(vector.name);
    }
  }
  assert.deepEqual(seen, ["4-S-1", "4-S-2"]);
  const bare = tests.find(({ name }) => name === "4-S-1")?.token ?? "";
  assert.equal(parseToken(`${bare}.`), undefined, "a second spelling");
});

test("the official keys are read, and others are not", async () => {
  interface Vector {
    readonly name: string;
    readonly paserk: string | null;
  }
  const { tests } = JSON.parse(await readFile(new URL("PASERK/k4.public.json", vectors), "utf8")) as {
    tests: Vector[];
  };
  const good = tests.flatMap(({ paserk }) => paserk ?? []);
  assert.ok(good.length >= 3);
  for (const paserk of good) {
    await importKey(paserk);
    for (const other of [
      paserk.replace("k4", "k3"),
      paserk.replace("public", "secret"),
      `${paserk}A`,
      paserk.slice(0, -1),
    ]) {
      await assert.rejects(importKey(other), other);
    }
  }
});

test("a good token says what its issuer wrote", async () => {
  const claims: Claims = await verifier().verify(issuer.token());
  assert.deepEqual(claims, {
    ...usualClaims(),
    iat: new Date(NOW),
    nbf: new Date(NOW),
    exp: new Date(NOW + 300_000),
    auth_time: new Date(NOW - 60_000),
  });
});

test("a token has one spelling, and no other passes", async () => {
  for (const other of misspelt(issuer.token, issuer.kid)) {
    assert.equal(await reason(other), "TOKEN_INVALID", JSON.stringify(other));
  }
});

test("bits that carry nothing are nought", async () => {
  const lastOnes = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"];
  // Three lengths: in two of them the last character has such bits, which a lenient decoder does not look at.
  for (const kid of ["k4.pid.a", "k4.pid.ab", "k4.pid.abc"]) {
    const own = createIssuer(kid);
    const by = createVerifier({ keys: [own.listed], issuer: ISSUER, audience: AUDIENCE, clock: () => NOW });
    const token = own.token();
    await by.verify(token);
    for (const last of lastOnes.filter((last) => !token.endsWith(last))) {
      assert.equal(await reason(token.slice(0, -1) + last, by), "TOKEN_INVALID");
    }
  }
});

test("a footer is the kid in its one spelling", async () => {
  for (const footer of badFooters(issuer.kid)) {
    assert.equal(await reason(issuer.token({}, footer)), "TOKEN_INVALID", footer);
  }
});

test("a token signed by another is refused, whatever kid it names", async () => {
  assert.equal(await reason(createIssuer(issuer.kid).token()), "TOKEN_INVALID");
  assert.equal(await reason(createIssuer("k4.pid.other").token()), "TOKEN_INVALID");
});

test("a token for somebody else, of another kind or not whole is refused", async () => {
  for (const claims of [...badClaims, ...badPayloads]) {
    assert.equal(await reason(issuer.token(claims)), "TOKEN_INVALID", JSON.stringify(claims));
  }
});

test("clocks may differ by thirty seconds, and no more", async () => {
  const after = (seconds: number) => verifier(NOW + seconds * 1000);
  await after(329.999).verify(issuer.token());
  assert.equal(await reason(issuer.token(), after(330)), "TOKEN_EXPIRED");
  await after(-30).verify(issuer.token());
  assert.equal(await reason(issuer.token(), after(-30.001)), "TOKEN_INVALID");
  await verifier().verify(issuer.token({ exp: at(-29), nbf: at(29) }));
});

test("a token of more than 4 KiB is not looked at", async () => {
  const filler = 2048;
  const long = (length: number) => issuer.token({ filler: "x".repeat(length) });
  let length = filler;
  while (long(length + 1).length <= 4096) length += 1;
  await verifier().verify(long(length));
  assert.equal(await reason(long(length + 1)), "TOKEN_INVALID");
});

test("the service's own tokens pass, with the keys where it publishes them", async () => {
  const service = await Service.start();
  try {
    const { session, auth, storage } = createDevice(service, "bearer");
    const email = address();
    await session.signUp({ email, password: PASSWORD });
    const user = await session.signIn({ email, password: PASSWORD });
    const { access } = JSON.parse(storage.getItem(`countersign ${service.url}`) ?? "{}") as { access: string };
    const keysUrl = `${service.url}/.well-known/countersign/keys`;
    const own = { keysUrl, issuer: "http://localhost:50051", audience: AUDIENCE };
    const claims = await createVerifier(own).verify(access);
    assert.equal(claims.sub, user.id);
    assert.equal(claims.sid, (await auth.whoAmI({})).session?.id);
    assert.equal(await reason(access, createVerifier({ ...own, issuer: ISSUER })), "TOKEN_INVALID");
    const late = createVerifier({ ...own, clock: () => claims.exp.getTime() + 30_000 });
    assert.equal(await reason(access, late), "TOKEN_EXPIRED");
  } finally {
    await service.remove();
  }
});
