/** Where a verifier's keys come from, and how often it asks. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { AUDIENCE, at, createIssuer, ISSUER, type Issuer, NOW } from "./support/issuer.js";
import { refusal } from "./support/people.js";
import { createGate } from "./support/waiting.js";

// What listens to the feed needs it, and no user does.
const inside = new URL("../../dist/verifier.js", import.meta.url).href;
const { openVerifier } = (await import(inside)) as typeof import("../dist/verifier.js");

/** An endpoint that lists these issuers' keys, and a verifier that asks it. */
function setUp(...issuers: Issuer[]) {
  const endpoint = {
    listed: issuers.map(({ listed }) => listed),
    isDown: false,
    asked: [] as (string | null)[],
    now: NOW,
    wait: Promise.resolve(),
  };
  const fetch: typeof globalThis.fetch = async (_, init) => {
    endpoint.asked.push(new Headers(init?.headers).get("if-none-match"));
    await endpoint.wait;
    if (endpoint.isDown) throw new TypeError("fetch failed");
    const etag = `"${endpoint.listed.map(({ kid }) => kid).join()}"`;
    if (new Headers(init?.headers).get("if-none-match") === etag) return new Response(null, { status: 304 });
    return Response.json({ issuer: ISSUER, keys: endpoint.listed }, { headers: { etag } });
  };
  const keysUrl = `${ISSUER}/.well-known/countersign/keys`;
  const options = { keysUrl, issuer: ISSUER, audience: AUDIENCE, fetch, clock: () => endpoint.now };
  const { verify, keys } = openVerifier(options);
  return { endpoint, verify, keys, refused: async (token: string) => (await refusal(verify(token))).reason ?? "" };
}

const [old, fresh] = [createIssuer("k4.pid.old"), createIssuer("k4.pid.fresh")];
const long = { exp: at(86_400) };

test("keys are fetched once, by whoever comes first", async () => {
  const { endpoint, verify } = setUp(old);
  assert.equal(endpoint.asked.length, 0);
  await Promise.all(Array.from({ length: 20 }, () => verify(old.token())));
  await verify(old.token());
  assert.deepEqual(endpoint.asked, [null]);
});

test("after five minutes they are asked for again, by their tag", async () => {
  const { endpoint, verify } = setUp(old);
  await verify(old.token(long));
  endpoint.now += 299_999;
  await verify(old.token(long));
  assert.equal(endpoint.asked.length, 1);
  endpoint.now += 1;
  await verify(old.token(long));
  await verify(old.token(long));
  assert.deepEqual(endpoint.asked, [null, '"k4.pid.old"']);
});

test("made-up kids cause one fetch in ten seconds", async () => {
  const { endpoint, verify, refused } = setUp(old);
  await verify(old.token());
  endpoint.now += 10_000;
  const flood = async (name: string) => {
    const tokens = Array.from({ length: 100 }, (_, index) => old.token({}, { kid: `k4.pid.${name}${index}` }));
    for (const reason of await Promise.all(tokens.map(refused))) assert.equal(reason, "TOKEN_INVALID");
    assert.equal(await refused(tokens[0] ?? ""), "TOKEN_INVALID");
  };
  await flood("a");
  assert.equal(endpoint.asked.length, 2);
  endpoint.now += 9_999;
  await flood("b");
  assert.equal(endpoint.asked.length, 2);
  endpoint.now += 1;
  await flood("c");
  assert.equal(endpoint.asked.length, 3);
});

test("a flood before the first answer is one fetch too", async () => {
  const { endpoint, refused } = setUp(old);
  const answer = createGate();
  endpoint.wait = answer.opened;
  const flood = Array.from({ length: 100 }, (_, index) => refused(old.token({}, { kid: `k4.pid.${index}` })));
  answer.open();
  await Promise.all(flood);
  assert.equal(endpoint.asked.length, 1);
});

test("a token of a new key passes at once, and one of a key that is gone does not", async () => {
  const { endpoint, verify, refused } = setUp(old);
  await verify(old.token(long));
  endpoint.now += 10_000;
  endpoint.listed = [old.listed, fresh.listed];
  await Promise.all(Array.from({ length: 20 }, () => verify(fresh.token(long))));
  await verify(old.token(long));
  assert.equal(endpoint.asked.length, 2);
  endpoint.listed = [fresh.listed];
  endpoint.now += 300_000;
  assert.equal(await refused(old.token(long)), "TOKEN_INVALID");
  await verify(fresh.token(long));
});

test("the last keys serve while the service does not answer, and it is not pestered", async () => {
  const { endpoint, verify, refused } = setUp(old);
  await verify(old.token(long));
  endpoint.isDown = true;
  endpoint.now += 300_000;
  for (let call = 0; call < 20; call += 1) await verify(old.token(long));
  // A key may have come since: who holds a token of it must not be signed out for that.
  for (let call = 0; call < 20; call += 1) {
    const { code, reason } = await refusal(verify(fresh.token(long)));
    assert.deepEqual([code, reason], ["unavailable", undefined]);
  }
  assert.equal(endpoint.asked.length, 2);
  endpoint.isDown = false;
  endpoint.listed = [old.listed, fresh.listed];
  endpoint.now += 10_000;
  await verify(fresh.token(long));
  assert.equal(await refused(createIssuer("k4.pid.unknown").token(long)), "TOKEN_INVALID");
});

test("junk from the endpoint does not replace good keys", async () => {
  const { endpoint, verify } = setUp(old);
  await verify(old.token(long));
  endpoint.now += 300_000;
  endpoint.listed = [{ ...fresh.listed, key: "k4.public.AAAA" }];
  await verify(old.token(long));
  assert.equal(endpoint.asked.length, 2);
});

test("without keys nothing is known about a token: not that it is bad", async () => {
  const { endpoint, verify } = setUp(old);
  endpoint.isDown = true;
  const error = await refusal(verify(old.token()));
  assert.equal(error.code, "unavailable");
  assert.equal(error.reason, undefined);
  endpoint.isDown = false;
  await verify(old.token());
});

test("a token that is no token costs no fetch", async () => {
  const { endpoint, refused } = setUp(old);
  for (const token of ["", "x", "v4.public.x", "v4.local.x.y", "v4.public.AAAA.e30", "x".repeat(1_000_000)]) {
    assert.equal(await refused(token), "TOKEN_INVALID");
  }
  assert.equal(endpoint.asked.length, 0);
});

test("a key counts until it ends, and one of another version never", async () => {
  const ending = { ...old.listed, not_after: at(60) };
  const { endpoint, verify, refused } = setUp();
  endpoint.listed = [ending, { ...fresh.listed, key: "k5.public.something" }];
  endpoint.now += 59_999;
  await verify(old.token());
  endpoint.now += 1;
  assert.equal(await refused(old.token()), "TOKEN_INVALID");
  assert.equal(await refused(fresh.token()), "TOKEN_INVALID");
});

test("keys that are told are these and no others, and newer than an answer under way", async () => {
  const { endpoint, verify, keys, refused } = setUp(old);
  const answer = createGate();
  endpoint.wait = answer.opened;
  const early = refused(old.token());
  await keys.take([{ ...old.listed, key: "k5.public.something" }, fresh.listed]);
  await verify(fresh.token());
  answer.open();
  assert.equal(await early, "TOKEN_INVALID");
  await verify(fresh.token());
  assert.equal(await refused(old.token()), "TOKEN_INVALID");
  await assert.rejects(keys.take([{ ...old.listed, key: "k4.public.AAAA" }]));
  await verify(fresh.token());
  // They are as good as fetched ones, and for as long.
  endpoint.now += 300_000;
  await verify(old.token(long));
  assert.deepEqual(endpoint.asked, [null, null]);
});

test("keys that were given stay, whatever is told", async () => {
  const { verify, keys } = openVerifier({ keys: [old.listed], issuer: ISSUER, audience: AUDIENCE, clock: () => NOW });
  await keys.take([fresh.listed]);
  await verify(old.token());
  assert.equal((await refusal(verify(fresh.token()))).reason, "TOKEN_INVALID");
});
