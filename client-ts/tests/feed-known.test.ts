/** What is known of ended sessions, and how old that is: the rules, without a service. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Claims } from "countersign/verify";

// Not for users, so no entry point leads there.
const inside = new URL("../../dist/feed/known.js", import.meta.url).href;
const { createKnown, createLine } = (await import(inside)) as typeof import("../dist/feed/known.js");

const claims = (uep: number) => ({ sub: "user", sid: "session", uep }) as Claims;
/** So many seconds later by both clocks, or by each. */
const at = (wall: number, steady = wall) => ({ wall: (1_000_000 + wall) * 1000, steady: steady * 1000 });
const wall = (seconds: number) => at(seconds).wall;

test("what was told stays until its last token has expired", () => {
  const known = createKnown();
  known.endSession("session", wall(300));
  known.endSession("session", wall(200));
  known.forget(at(360));
  assert.ok(known.hasEnded(claims(9)));
  known.forget(at(360.001));
  assert.ok(!known.hasEnded(claims(9)));
});

test("the greatest epoch holds, for as long as the last entry says", () => {
  const known = createKnown();
  known.beginEpoch("user", 5, wall(300));
  known.beginEpoch("user", 4, wall(200));
  known.forget(at(360));
  assert.ok(known.hasEnded(claims(4)) && !known.hasEnded(claims(5)));
  known.beginEpoch("user", 6, wall(300));
  assert.ok(known.hasEnded(claims(5)));
  known.forget(at(360.001));
  assert.ok(!known.hasEnded(claims(0)));
});

test("nothing heard is for ever old", () => {
  const known = createKnown();
  assert.equal(known.age(at(0)), Infinity);
  known.heard(wall(7), at(7));
  known.heard(wall(5), at(8));
  assert.equal(known.age(at(10)), 3_000);
});

test("age is counted by the clock that went further", () => {
  const known = createKnown();
  known.heard(wall(8), at(10));
  assert.equal(known.age(at(70, 10)), 62_000, "the machine slept");
  assert.equal(known.age(at(9.5, 20)), 12_000, "a clock is set by a little now and then");
  assert.equal(known.age(at(6, 20)), Infinity, "but not by this much");
  known.heard(wall(5), at(6, 20));
  assert.equal(known.age(at(6, 20)), 1_000, "until something was heard since");
});

test("a message is as old as it is, however the clocks differ", () => {
  for (const skew of [0, 3_600, -3_600]) {
    const server = (seconds: number) => wall(seconds + skew);
    const sentAt = createLine(wall(10));
    assert.equal(sentAt(server(12), wall(12)), wall(10), "not later than we can know");
    assert.equal(sentAt(server(13), wall(13)), wall(11));
    // A stall of a minute, and then all at once.
    assert.equal(sentAt(server(14), wall(80)), wall(12));
    assert.equal(sentAt(server(79), wall(80)), wall(77));
    // Called, stopped for a minute, and what was said at once is read only then.
    const later = createLine(wall(100));
    assert.equal(later(server(100), wall(160)), wall(100));
    assert.equal(later(server(160), wall(160)), wall(160));
  }
});
