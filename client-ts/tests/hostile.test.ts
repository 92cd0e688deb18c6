/** Hostile pages in a real browser, against the real service over TLS: nothing that they send gets past the guard. */

import assert from "node:assert/strict";
import type { RequestOptions } from "node:https";
import { after, before, describe, test } from "node:test";
import { contents } from "./support/database.js";
import { type Attack, attacks } from "./support/hostile/attacks.js";
import type { Rpc } from "./support/hostile/forgeries.js";
import { Hosts } from "./support/hostile/hosts.js";
import { type Outcome, ran } from "./support/hostile/outcomes.js";
import { APP, type Place, places, SHOP } from "./support/hostile/places.js";
import { World, type WorldKind } from "./support/hostile/world.js";

const hosts = await Hosts.start();
after(() => hosts.stop());

const ALL = attacks(hosts);
const PLACES = places(hosts);
/** HTTP/1.1 from few places: the guard comes after it is read, and sees no difference but what the browser may send. */
const WORLDS: { name: string; kind: WorldKind; from: Place[] }[] = [
  {
    name: "where cookies of other sites are blocked",
    kind: { blocksOtherSites: true, version: "HTTP/2.0" },
    from: PLACES,
  },
  {
    name: "where cookies of other sites are let pass",
    kind: { blocksOtherSites: false, version: "HTTP/2.0" },
    from: PLACES,
  },
  { name: "over HTTP/1.1", kind: { blocksOtherSites: false, version: "HTTP/1.1" }, from: PLACES.slice(0, 3) },
];

const RPC = "/countersign.v1.AuthService/Logout";
const FOREIGN = { origin: "https://attacker.test", "x-grpc-web": "1" };
/** One of each kind, with its status. */
const ANSWERS: [string, string, RequestOptions][] = [
  ["200", "/healthz", { headers: FOREIGN }],
  ["200", "/.well-known/countersign/keys", { headers: FOREIGN }],
  ["405", RPC, { headers: FOREIGN }],
  ["405", "/nowhere", { headers: FOREIGN }],
  ["415", RPC, { method: "POST", headers: { ...FOREIGN, "content-type": "text/plain" } }],
  ["200", RPC, { method: "POST", headers: { ...FOREIGN, "content-type": "application/grpc-web+proto" } }],
  ["200", RPC, { method: "OPTIONS", headers: { ...FOREIGN, "access-control-request-method": "POST" } }],
];

describe("a person is signed in, and hostile pages are open", { concurrency: true }, () => {
  for (const { name, kind, from } of WORLDS) {
    describe(name, { concurrency: false }, () => {
      let world: World;
      before(async () => {
        world = await World.create(hosts, kind);
      });
      after(() => world?.remove());

      for (const place of from) {
        test(`from ${place.name} nothing runs`, (t) => nothingRuns(world, place).then((said) => t.diagnostic(said)));
      }

      for (const inner of [hosts.https("attacker.test"), hosts.https("evil.example.test"), hosts.https(APP)]) {
        test(`${new URL(inner).hostname} shows nothing of the service in a frame`, async () => {
          for (const path of [
            "/healthz",
            "/.well-known/countersign/keys",
            "/countersign.v1.AuthService/WhoAmI",
            "/nowhere",
          ]) {
            assert.match(await world.framed(inner, path), /^chrome-error:/, path);
          }
        });
      }

      test("every answer says that it is nothing to show, embed or guess at", async () => {
        for (const [status, path, init] of ANSWERS) {
          const headers = await world.headers(path, init);
          assert.equal(headers[":status"], status, path);
          assert.equal(headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'");
          assert.equal(headers["cross-origin-resource-policy"], "same-site");
          assert.equal(headers["x-content-type-options"], "nosniff");
          assert.equal(headers["access-control-allow-origin"], undefined);
          assert.equal(headers["set-cookie"], undefined);
        }
      });

      test("only pages of the service's own site embed what it answers", async () => {
        assert.equal(await world.embeds(hosts.https("evil.example.test")), true);
        assert.equal(await world.embeds(hosts.https("attacker.test")), false);
        assert.equal(await world.embeds(hosts.https(SHOP)), false);
      });

      test("the pages that are listed make the same calls run", async () => {
        for (const top of [APP, SHOP]) await theSameRuns(world, { name: "", top: hosts.https(top) });
        assert.deepEqual(new Set(world.versions.values()), new Set([kind.version]));
      });
    });
  }
});

/** Every attack from this place, one after the other, so that it is known which of them the service speaks of. */
async function nothingRuns(world: World, place: Place): Promise<string> {
  const cookies = await world.cookies();
  const frame = await world.open(place);
  const [runs, unexpected]: [string[], string[]] = [[], []];
  let requests = 0;
  for (const attack of ALL) {
    const outcomes = await world.attack(frame, attack);
    requests += outcomes.length;
    for (const outcome of outcomes.filter(ran)) runs.push(`${attack.name} | ${outcome.rpc} | ${outcome.outcome}`);
    if (sorted(outcomes) !== sorted(expected(attack))) unexpected.push(`${attack.name}: ${sorted(outcomes)}`);
  }
  await world.closeTabs();
  assert.ok(runs.length === 0, `these got past the guard:\n${runs.join("\n")}`);
  assert.deepEqual(unexpected, [], "these arrived otherwise than they should");
  assert.deepEqual(await contents(world.database), world.rows, "nothing has changed");
  assert.deepEqual(await world.cookies(), cookies, "the browser has taken no cookie");
  return `${ALL.length} attacks, ${requests} requests, ${runs.length} handler runs`;
}

function expected({ rpcs, arrives }: Attack): Outcome[] {
  return rpcs.flatMap((rpc) => arrives.map((outcome) => ({ rpc, outcome })));
}

function sorted(outcomes: readonly Outcome[]): string {
  return outcomes
    .map(({ rpc, outcome }) => `${rpc} ${outcome}`)
    .sort()
    .join();
}

/** The test of the test: the very bytes, from a page that may call and asks first. */
async function theSameRuns(world: World, place: Place): Promise<void> {
  const frame = await world.open(place);
  const call = (rpc: Rpc) => world.call(frame, rpc);
  const before = await contents(world.database);

  assert.equal(await call("SignUp"), "Ok");
  const signedUp = await contents(world.database);
  assert.equal(signedUp.auditEvents, before.auditEvents + 1);
  const tokens = await world.cookies();
  assert.equal(await call("Refresh"), "Ok");
  assert.equal((await contents(world.database)).refreshes, before.refreshes + 1);
  assert.notDeepEqual(await world.cookies(), tokens);
  assert.equal(await call("Login"), "Ok", "as somebody else");
  assert.equal((await contents(world.database)).openSessions, before.openSessions + 1);
  assert.equal(await call("Logout"), "Ok", "everywhere");
  assert.equal((await contents(world.database)).openSessions, before.openSessions);
  await world.closeTabs();
}
