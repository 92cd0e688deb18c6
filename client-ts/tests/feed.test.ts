/** Sessions that end are refused as soon as the service says so; where it says nothing, the policy decides. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthError, createFollowingVerifier, type FeedOptions, type FollowingVerifier } from "countersign/feed";
import { createBackend } from "./support/backend.js";
import { AUDIENCE, createIssuer } from "./support/issuer.js";
import { type Device, signedIn } from "./support/people.js";
import { Service } from "./support/service.js";

/** As the service calls itself in development. */
const ISSUER = "http://localhost:50051";
const POLICIES = ["deny", "introspect", { allowForMs: 60_000 }] as const;

/** A service, and verifiers that listen to it until the test is over. */
async function setUp(t: { after(cleanUp: () => Promise<void>): void }, env: Readonly<Record<string, string>> = {}) {
  const service = await Service.start(env);
  const backendKey = await createBackend(service);
  const following: FollowingVerifier[] = [];
  t.after(async () => {
    for (const { close } of following) close();
    await service.remove();
  });
  return {
    service,
    backendKey,
    follow(feed: Partial<FeedOptions> = {}, options: { keysUrl?: string; clock?: () => number } = {}) {
      const verifier = createFollowingVerifier({
        keysUrl: `${service.url}/.well-known/countersign/keys`,
        issuer: ISSUER,
        audience: AUDIENCE,
        feed: { backendKey, serviceUrl: service.url, ...feed },
        ...options,
      });
      following.push(verifier);
      return verifier;
    },
  };
}

async function tokenOf({ auth, session }: Device): Promise<string> {
  await auth.whoAmI({});
  return session.credential()?.token ?? "";
}

/** `"passes"`, or why it does not. */
async function verdict(verifier: FollowingVerifier, token: string): Promise<string> {
  try {
    await verifier.verify(token);
    return "passes";
  } catch (error) {
    assert.ok(error instanceof AuthError, String(error));
    return error.reason ?? error.code;
  }
}

/** Asks until this is the answer. */
async function until(verifier: FollowingVerifier, token: string, expected: string): Promise<void> {
  while ((await verdict(verifier, token)) !== expected) await new Promise((resolve) => setTimeout(resolve, 5));
}

test("a session that ended is refused within a second, and the others are not", { timeout: 60_000 }, async (t) => {
  const { service, follow } = await setUp(t);
  // Without a word of the service's nobody gets in, so what is let in is what was heard.
  const verifier = follow({ onStale: "deny" });
  const other = await signedIn(service, "bearer");
  const others = await tokenOf(other);
  const took: number[] = [];
  const ended: string[] = [];
  for (let person = 0; person < 5; person += 1) {
    const device = await signedIn(service, "bearer");
    const token = await tokenOf(device);
    await until(verifier, token, "passes");
    await device.session.signOut();
    const acknowledged = performance.now();
    await until(verifier, token, "SESSION_ENDED");
    took.push(performance.now() - acknowledged);
    ended.push(token);
  }
  assert.ok((took.sort((a, b) => a - b)[2] ?? Infinity) < 1_000, `${took} ms`);
  assert.equal(await verdict(verifier, others), "passes");

  // All of a person's sessions are one entry, and the next one is of another epoch.
  await service.run("user", "disable", "--email", other.session.user?.email ?? "");
  await until(verifier, others, "SESSION_ENDED");
  const later = await tokenOf(await signedIn(service, "bearer"));
  assert.equal(await verdict(verifier, later), "passes");

  // Whoever begins to listen now is told of what was before.
  const late = follow({ onStale: "deny" });
  assert.equal(late.revocationsAge(), Infinity);
  await until(late, later, "passes");
  for (const token of [others, ...ended]) assert.equal(await verdict(late, token), "SESSION_ENDED");
});

test("while the feed is silent the policy decides", { timeout: 60_000 }, async (t) => {
  const { service, follow } = await setUp(t);
  let ahead = 0;
  const clock = () => Date.now() + ahead;
  const [deny, introspect, allow] = POLICIES.map((onStale) => follow({ onStale }, { clock })) as [
    FollowingVerifier,
    FollowingVerifier,
    FollowingVerifier,
  ];
  const token = await tokenOf(await signedIn(service, "bearer"));
  const verdicts = () => Promise.all([deny, introspect, allow].map((verifier) => verdict(verifier, token)));
  const areUpToDate = () => [deny, introspect, allow].every((verifier) => verifier.revocationsAge() < 1_500);
  const untilUpToDate = async () => {
    while (!areUpToDate()) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await untilUpToDate();
  assert.deepEqual(await verdicts(), ["passes", "passes", "passes"]);

  await service.kill();
  assert.deepEqual(await verdicts(), ["passes", "passes", "passes"], "a moment is nothing");
  ahead += 6_000;
  assert.deepEqual(await verdicts(), ["unavailable", "unavailable", "passes"], "there is nobody to ask");
  ahead += 60_000;
  assert.deepEqual(await verdicts(), ["unavailable", "unavailable", "unavailable"], "a minute is all");
  await service.resume();
  await untilUpToDate();
  assert.deepEqual(await verdicts(), ["passes", "passes", "passes"]);

  // It takes connections and says nothing, which nobody tells the listener.
  await service.freeze();
  ahead += 6_000;
  assert.deepEqual(await verdicts(), ["unavailable", "unavailable", "passes"], "nobody answers");
  service.thaw();
  await untilUpToDate();
  assert.deepEqual(await verdicts(), ["passes", "passes", "passes"]);
});

test("a clock that was set back makes what is known old", { timeout: 60_000 }, async (t) => {
  const { service, follow } = await setUp(t);
  let ahead = 0;
  const verifier = follow({ onStale: "deny" }, { clock: () => Date.now() + ahead });
  const token = await tokenOf(await signedIn(service, "bearer"));
  await until(verifier, token, "passes");
  ahead -= 5_000;
  assert.equal(verifier.revocationsAge(), Infinity);
  await until(verifier, token, "passes");
});

test("what ended while nobody listened is told afterwards, and nothing is taken back", {
  timeout: 60_000,
}, async (t) => {
  const { service, follow } = await setUp(t);
  const verifier = follow({ onStale: "deny" });
  const [first, second] = [await signedIn(service, "bearer"), await signedIn(service, "bearer")];
  const [ended, disabled] = [await tokenOf(first), await tokenOf(second)];
  await until(verifier, disabled, "passes");
  await first.session.signOut();
  await until(verifier, ended, "SESSION_ENDED");
  await service.kill();
  assert.equal(await verdict(verifier, ended), "SESSION_ENDED", "what was told stays told");
  await service.run("user", "disable", "--email", second.session.user?.email ?? "");
  await service.resume();
  await until(verifier, disabled, "SESSION_ENDED");
  assert.equal(await verdict(verifier, ended), "SESSION_ENDED");
});

test("who hears nothing may ask", { timeout: 60_000 }, async (t) => {
  const { service, follow } = await setUp(t);
  // Whatever it hears is too old for it.
  const verifier = follow({ onStale: "introspect", staleAfterMs: -1 });
  const device = await signedIn(service, "bearer");
  const token = await tokenOf(device);
  assert.equal(await verdict(verifier, token), "passes");
  assert.equal(await verdict(follow({ onStale: "deny", staleAfterMs: -1 }), token), "unavailable", "or may not");
  await device.session.signOut();
  assert.equal(await verdict(verifier, token), "SESSION_ENDED", "at once");
  assert.equal(await verdict(verifier, createIssuer().token()), "TOKEN_INVALID", "about which nobody is asked");
});

test("a service that is not let in, or is shut out, trusts nobody", { timeout: 60_000 }, async (t) => {
  const { service, follow } = await setUp(t);
  const token = await tokenOf(await signedIn(service, "bearer"));
  for (const backendKey of ["cs_bk_made_up", token]) {
    for (const onStale of POLICIES) {
      assert.equal(await verdict(follow({ backendKey, onStale }), token), "unavailable", JSON.stringify(onStale));
    }
  }
  let ahead = 0;
  const backendKey = await createBackend(service, "leaver");
  const clock = () => Date.now() + ahead;
  const leavers = POLICIES.map((onStale) => follow({ backendKey, onStale }, { clock }));
  for (const verifier of leavers) await until(verifier, token, "passes");
  const denying = leavers[0] as FollowingVerifier;
  await service.run("backend", "revoke", "--name", "leaver");
  // Its line is cut, and it gets no other: what it knows grows old.
  while (denying.revocationsAge() < 1_500) await new Promise((resolve) => setTimeout(resolve, 5));
  ahead += 66_000;
  for (const verifier of leavers) assert.equal(await verdict(verifier, token), "unavailable");
  const why = await denying.verify(token).catch((error: AuthError) => error.cause);
  assert.ok(why instanceof AuthError && why.reason === "TOKEN_INVALID", "says why it hears nothing");
});

test("before everything was told once, nobody passes unasked", { timeout: 60_000 }, async (t) => {
  const { service, follow } = await setUp(t);
  const token = await tokenOf(await signedIn(service, "bearer"));
  await service.kill();
  const early = POLICIES.map((onStale) => follow({ onStale }));
  for (const verifier of early) assert.equal(await verdict(verifier, token), "unavailable");
  await service.resume();
  for (const verifier of early) await until(verifier, token, "passes");
});

test("the feed brings the keys, those that sign next and those that are revoked", { timeout: 60_000 }, async (t) => {
  const { service, follow } = await setUp(t);
  const keysUrl = "http://127.0.0.1:1/keys";
  const verifier = follow({ onStale: "deny" }, { keysUrl });
  const device = await signedIn(service, "bearer");
  const before = await tokenOf(device);
  await until(verifier, before, "passes");
  const kid = (token: string) => /k4\.pid\.[\w-]+/.exec(atob(token.split(".")[3] ?? ""))?.[0] ?? "";
  await service.run("key", "rotate");
  await service.run("key", "revoke", kid(before));
  const revoked = performance.now();
  // Its key is none of those that were told; that it cannot be fetched either is another matter.
  await until(verifier, before, "unavailable");
  const took = performance.now() - revoked;
  assert.ok(took < 1_000, `${took} ms`);
  let after = before;
  while (kid(after) === kid(before)) after = await tokenOf(device);
  await until(verifier, after, "passes");
});

test("keys of another issuer than the one that is trusted are not taken", { timeout: 60_000 }, async (t) => {
  const { service, follow } = await setUp(t, { COUNTERSIGN_SERVER__PUBLIC_URL: "https://other.example.com" });
  const verifier = follow({ onStale: "deny" }, { keysUrl: "http://127.0.0.1:1/keys" });
  while (verifier.revocationsAge() > 5_000) await new Promise((resolve) => setTimeout(resolve, 5));
  // With its keys it would be known to be of another issuer.
  assert.equal(await verdict(verifier, await tokenOf(await signedIn(service, "bearer"))), "unavailable");
});

test("whoever waits for the end of a session is told, once", { timeout: 60_000 }, async (t) => {
  const { service, follow } = await setUp(t);
  const verifier = follow();
  const devices = [await signedIn(service, "bearer"), await signedIn(service, "bearer")] as const;
  const claims = [await verifier.verify(await tokenOf(devices[0])), await verifier.verify(await tokenOf(devices[1]))];
  const told: string[] = [];
  const [ended, other] = claims as [(typeof claims)[0], (typeof claims)[0]];
  const isOver = new Promise<void>((resolve) => {
    verifier.onSessionEnd(ended, () => {
      told.push("ended");
      resolve();
    });
  });
  verifier.onSessionEnd(other, () => told.push("other"));
  verifier.onSessionEnd(ended, () => told.push("who left"))();
  await devices[0].session.signOut();
  await isOver;
  verifier.onSessionEnd(ended, () => told.push("late"));
  await devices[1].session.signOut();
  await until(verifier, await tokenOf(devices[1]).catch(() => ""), "TOKEN_INVALID");
  while (!told.includes("other")) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(told, ["ended", "late", "other"]);
});

test("a feed is followed where nobody can read its key", () => {
  const make = (serviceUrl: string, backendKey = "cs_bk_x", trustPlainHttp = false) =>
    createFollowingVerifier({
      keys: [],
      issuer: serviceUrl,
      audience: AUDIENCE,
      fetch: () => Promise.reject(new TypeError("fetch failed")),
      feed: { backendKey, trustPlainHttp },
    }).close();
  for (const url of ["https://auth.example.com", "http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1"])
    make(url);
  for (const url of ["http://auth.example.com", "http://localhost.example.com", "http://127.0.0.1.example.com"]) {
    assert.throws(() => make(url), /neither https nor on this machine/);
    make(url, "cs_bk_x", true);
  }
  for (const url of ["", "auth.example.com", "ftp://localhost"]) assert.throws(() => make(url), TypeError);
  for (const key of ["", "cs_bk_secret\n", "cs_bk_secret x", "cs_bk_secrét"]) {
    assert.throws(
      () => make("https://auth.example.com", key),
      (error: Error) => /cannot stand in a header/.test(error.message) && !error.message.includes("secr"),
    );
  }
});
