/** The pages by themselves: a proxy can be forgotten, bypassed, or match too little. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { address, assertHides, assertShows, Visitor } from "./support/visitor.js";
import { World } from "./support/world.js";

let world: World;
before(async () => {
  world = await World.start({ withoutProxy: true });
});
after(() => world?.remove());

test("without a proxy the pages still open to nobody who is not signed in", async () => {
  const [member, stranger] = [await Visitor.signedIn(world.url), new Visitor(world.url)];
  stranger.cookies.set("__Host-countersign-access", "v4.public.forged");
  for (const [path, secret] of [
    ["/me", /Hello/],
    ["/members", /Good to see you/],
    ["/members/archive", /What is below/],
    ["/account", /It stays so until/],
  ] as const) {
    assertShows(await member.page(path), secret);
    for (const visitor of [stranger, new Visitor(world.url)]) {
      for (const [query, init] of [
        ["", {}],
        ["?_rsc", { headers: { rsc: "1" } }],
      ] as const) {
        const text = await (await visitor.send(path + query, init)).text();
        assertHides(text, secret);
        assertShows(text, /\/sign-in\?next=%2F[ma]/);
      }
    }
  }
});

test("a service that was told of no app's server believes nobody", async () => {
  await new Visitor(world.url).signIn(address(), { "x-forwarded-for": "203.0.113.7" });
  assert.match(world.calls("Login").at(-1) ?? "", /client=127\.0\.0\.1/);
});

test("without a proxy an expired token is an error, and never a refresh that the browser does not hear of", async () => {
  const member = await Visitor.signedIn(world.url);
  world.clock.expireTokens();
  const text = await member.page("/me");
  assertHides(text, /Hello/);
  assertShows(text, /TOKEN_EXPIRED/);
  assert.equal(world.count("Refresh"), 0);
});
