/** The default mode without a browser: what the app's server sends, to whoever asks in whatever way. */

import assert from "node:assert/strict";
import { get, type IncomingMessage } from "node:http";
import { after, before, test } from "node:test";
import { createAuthClient } from "countersign";
import { address, assertHides, assertShows, PASSWORD, Visitor } from "./support/visitor.js";
import { World } from "./support/world.js";

const SET =
  /^__Host-countersign-(access|refresh|device)=[\w.-]+; Path=\/; Expires=[^;]+; Max-Age=\d{6,8}; Secure; HttpOnly; SameSite=lax$/;
const DELETED = /^__Host-countersign-(access|refresh)=; Path=\/; Max-Age=0; Secure; HttpOnly; SameSite=lax$/;

let world: World;
before(async () => {
  world = await World.start({
    apps: 2,
    service: { COUNTERSIGN_SERVER__BEHIND_PROXY: "true", COUNTERSIGN_SERVER__TRUSTED_PROXIES: "127.0.0.0/8" },
  });
});
after(() => world?.remove());

/** These cookies, each once or repeated alike, and nothing else. */
function assertCookies(lines: readonly string[], pattern: RegExp, names = ["access", "refresh"]): void {
  for (const line of lines) assert.match(line, pattern);
  // The moment is reckoned anew where Next.js writes a line twice.
  const pairs = new Set(lines.map((line) => line.slice(0, line.indexOf(";"))));
  assert.deepEqual([...pairs].map((pair) => /-(\w+)=/.exec(pair)?.[1]).sort(), names);
}

test("who is not signed in is sent to sign in from every protected path, in every spelling", async () => {
  const visitor = new Visitor(world.url);
  const turns: Readonly<Record<string, string>> = {
    "/me": "/me",
    "/me?tab=1&next=%2F%2Fevil.example": "/me?tab=1&next=%2F%2Fevil.example",
    "/%6de": "/%6de",
    "/members": "/members",
    "/members/archive": "/members/archive",
    "/members/no/such/page": "/members/no/such/page",
  };
  for (const [path, next] of Object.entries(turns)) {
    for (const init of [
      {},
      { method: "HEAD" },
      { headers: { rsc: "1" } },
      { headers: { "x-middleware-subrequest": "proxy:proxy:proxy:proxy:proxy" } },
    ]) {
      const answer = await visitor.send(path, init);
      const location = new URL(answer.headers.get("location") ?? "", world.url);
      assert.deepEqual([answer.status, location.origin, location.pathname], [307, world.url, "/sign-in"], path);
      assert.equal(location.searchParams.get("next"), next);
      assert.equal(answer.headers.get("cache-control"), "private, no-store");
    }
  }
  for (const path of ["/", "/sign-in", "/sign-up", "/mean", "/icon.svg"]) {
    assert.notEqual((await visitor.send(path)).status, 307, path);
  }
});

test("what was posted to a protected path is not posted on", async () => {
  const answer = await new Visitor(world.url).send("/me", { method: "POST", body: "secret=1" });
  assert.equal(answer.status, 303);
  assert.equal(answer.headers.get("location"), "/sign-in");
});

test("a person signs up, in and out, and the page knows the name", async () => {
  const visitor = await Visitor.signedIn(world.url);
  assertCookies(visitor.lastSetCookie, SET, ["access", "device", "refresh"]);
  const page = await visitor.send("/me");
  assert.equal(page.headers.get("cache-control"), "private, no-store");
  assertShows(await page.text(), /Ada/);
  const calls = world.count("WhoAmI");
  await visitor.page("/members");
  assert.equal(world.count("WhoAmI"), calls + 1, "header and page share one call");

  const old = visitor.at(world.url);
  await visitor.signOut();
  assertCookies(visitor.lastSetCookie, DELETED);
  assert.equal((await visitor.send("/me")).status, 307);
  // The session is over, not only forgotten here.
  const replayed = await old.page("/me");
  assertHides(replayed, /Ada/);
  assertShows(replayed, /\/sign-in\?next=%2Fme/);
});

test("a burst of twenty requests bears an expiry with one refresh", async () => {
  const visitor = await Visitor.signedIn(world.url);
  for (let round = 0; round < 3; round += 1) {
    world.clock.expireTokens();
    const before = world.count("Refresh");
    const pages = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const answer = await visitor.send("/me");
        assertCookies(answer.headers.getSetCookie(), SET);
        assert.equal(answer.headers.get("cache-control"), "private, no-store");
        return [answer.status, /Ada/.test(await answer.text())];
      }),
    );
    assert.deepEqual(pages, Array(20).fill([200, true]));
    assert.equal(world.count("Refresh"), before + 1);
  }
});

test("two instances of the app that refresh one session at the same moment log nobody out", async () => {
  const visitor = await Visitor.signedIn(world.url);
  for (let round = 0; round < 3; round += 1) {
    world.clock.expireTokens();
    const before = world.count("Refresh");
    const pages = world.urls.flatMap((url) => Array.from({ length: 5 }, () => visitor.at(url).page("/me")));
    for (const page of await Promise.all(pages)) assertShows(page, /Ada/);
    assert.equal(world.count("Refresh"), before + 2, "one for each process");
    // A browser keeps what came last, of whichever.
    assertShows(await visitor.page("/me"), /Ada/);
  }
});

test("signing out with an expired token leaves no cookie of the session", async () => {
  const visitor = await Visitor.signedIn(world.url);
  world.clock.expireTokens();
  const answer = await visitor.signOut();
  assert.deepEqual([answer.status, answer.headers.get("location")], [303, "/"]);
  // The proxy refreshed for it; what counts is what a browser hears last.
  assertCookies(visitor.lastSetCookie.slice(-2), DELETED);
  assert.deepEqual([...visitor.cookies.keys()], ["__Host-countersign-device"], "which opens nothing");
});

test("while the service is away nobody is signed out, and a wrong answer is never given", async () => {
  const visitor = await Visitor.signedIn(world.url);
  world.clock.expireTokens();
  await world.killService();
  const page = await visitor.send("/me");
  const text = await page.text();
  assert.deepEqual([page.status, visitor.lastSetCookie], [200, []]);
  assertShows(text, /UNAVAILABLE/);
  assertHides(text, /\/sign-in\?next/);
  await world.resumeService();
  assertShows(await visitor.page("/me"), /Ada/);
});

test("a session that was ended elsewhere is over at once, and its cookies go when they are looked at", async () => {
  const [visitor, email] = [new Visitor(world.url), address()];
  await visitor.signUp(email);
  await visitor.signIn(email);
  const { session } = createAuthClient({ baseUrl: world.serviceUrl, mode: "bearer" });
  await session.signIn({ email, password: PASSWORD });
  await session.signOut({ everywhere: true });

  const page = await visitor.page("/me");
  assertHides(page, /Hello/);
  assertShows(page, /\/sign-in\?next=%2Fme/);
  assertShows(await visitor.page("/sign-in"), /autoComplete="current-password"/);
  world.clock.expireTokens();
  assert.equal((await visitor.send("/me")).status, 307);
  assertCookies(visitor.lastSetCookie, DELETED);
});

test("cookies that are no tokens open nothing", async () => {
  const good = await Visitor.signedIn(world.url);
  const [access = "", refresh = ""] = [...good.cookies.values()];
  for (const [a, r] of [
    ["x", "y"],
    [`${access}.`, ""],
    [access.slice(0, -4), refresh.slice(0, -4)],
    [refresh, access],
  ] as const) {
    const visitor = new Visitor(world.url);
    visitor.cookies.set("__Host-countersign-access", a).set("__Host-countersign-refresh", r);
    assert.equal((await visitor.send("/me")).status, 307, a);
    assertCookies(visitor.lastSetCookie, DELETED);
  }
  assertShows(await good.page("/me"), /Ada/);
});

test("another site cannot have a form answered in a visitor's name", async () => {
  const visitor = await Visitor.signedIn(world.url);
  for (const origin of ["https://evil.example", "null", world.url.replace("localhost", "localhost.evil.example")]) {
    const answer = await visitor.signOut({ origin });
    assert.equal(answer.status, 403, origin);
    assert.deepEqual(visitor.lastSetCookie, []);
    const [stranger, email] = [new Visitor(world.url), address()];
    await stranger.signUp(email);
    await stranger.signIn(email, { origin });
    assert.deepEqual(stranger.lastSetCookie, [], "nor can it sign anybody in");
  }
  assertShows(await visitor.page("/me"), /Ada/);
});

test("the service hears for whom the app calls", async () => {
  const visitor = new Visitor(world.url);
  const from = { "x-forwarded-for": "203.0.113.7" };
  await visitor.signIn(address(), from);
  assert.match(world.calls("Login").at(-1) ?? "", /client=203\.0\.113\.7/);
});

test("the switch for Safari works on this machine alone", async () => {
  const loopback = await World.start({ app: { COUNTERSIGN_INSECURE_COOKIES: "true" } });
  try {
    const visitor = await Visitor.signedIn(loopback.url);
    assertCookies(
      visitor.lastSetCookie,
      /^countersign-(access|refresh|device)=[\w.-]+; Path=\/; Expires=[^;]+; Max-Age=\d{6,8}; HttpOnly; SameSite=lax$/,
      ["access", "device", "refresh"],
    );
    assertShows(await visitor.page("/me"), /Ada/);
    for (const host of ["app.example.com", "localhost.example.com", "127.0.0.1.example.com", "localhost@example.com"]) {
      assert.equal((await sendAs(host, loopback.url, "/sign-in")).statusCode, 500, host);
    }
  } finally {
    await loopback.remove();
  }
});

/** A request to this server under another name; fetch does not let one say that. */
function sendAs(host: string, url: string, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url + path, { headers: { host } }, (answer) => resolve(answer.resume())).on("error", reject);
  });
}
