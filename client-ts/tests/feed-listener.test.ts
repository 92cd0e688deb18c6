/** The listener's way with a line: what it counts as heard, from where it goes on, and when it hangs up. Without a service. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";

// Not for users, so no entry point leads there.
const inside = new URL("../../dist/", import.meta.url).href;
const { listen } = (await import(`${inside}feed/listener.js`)) as typeof import("../dist/feed/listener.js");
const { createKnown } = (await import(`${inside}feed/known.js`)) as typeof import("../dist/feed/known.js");
const { WatchRevocationsResponseSchema } = (await import(
  `${inside}gen/countersign/v1/token_service_pb.js`
)) as typeof import("../dist/gen/countersign/v1/token_service_pb.js");

type Event = NonNullable<MessageInitShape<typeof WatchRevocationsResponseSchema>["event"]>;
const heartbeat: Event = { case: "heartbeat", value: {} };
const goAway: Event = { case: "goAway", value: {} };
const upTo = (place: number): Event => ({ case: "upTo", value: { resumeToken: Uint8Array.of(place) } });

/** Timeouts that end when time passes here. Those of Node.js 20.9's own mock miss what is set while it passes. */
function fakeTimeouts() {
  const { setTimeout, clearTimeout } = globalThis;
  const pending = new Map<number, { due: number; end: () => void }>();
  let [passed, last] = [0, 0];
  const fake = {
    setTimeout(end: () => void, ms: number) {
      pending.set(++last, { due: passed + ms, end });
      return last;
    },
    clearTimeout: (id: number) => void pending.delete(id),
  };
  Object.assign(globalThis, fake);
  return {
    pass(ms: number) {
      passed += ms;
      for (const [id, { due, end }] of [...pending]) if (due <= passed && pending.delete(id)) end();
    },
    restore: () => Object.assign(globalThis, { setTimeout, clearTimeout }),
  };
}

/** A listener by a clock of ours, and a service that says what the test tells it, to each call its own. */
function setUp() {
  const timeouts = fakeTimeouts();
  const stop = new AbortController();
  const known = createKnown();
  const time = { now: 1_000_000 };
  const now = () => ({ wall: time.now, steady: time.now });
  const heard = { places: [] as number[][], failures: [] as unknown[], signal: stop.signal };
  let say: (message: { event: Event; serverTime: number }) => void = () => undefined;
  const over = listen(
    {
      known,
      now,
      async *watch(place, signal) {
        heard.places.push([...place]);
        heard.signal = signal;
        for (;;) {
          const { event, serverTime } = await new Promise<{ event: Event; serverTime: number }>((resolve, reject) => {
            say = resolve;
            signal.onabort = () => reject(new Error("aborted"));
          });
          yield create(WatchRevocationsResponseSchema, {
            event,
            serverTime: timestampFromMs(serverTime),
            revocationsAge: {},
          });
        }
      },
      tellNews: () => undefined,
      tellKeys: () => Promise.resolve(),
      tellFailure: (cause) => heard.failures.push(cause),
    },
    stop.signal,
  );
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return {
    time,
    heard,
    age: () => known.age(now()),
    settled,
    async say(event: Event, serverTime = time.now) {
      say({ event, serverTime });
      await settled();
    },
    async pass(ms: number) {
      time.now += ms;
      timeouts.pass(ms);
      await settled();
    },
    async stop() {
      stop.abort();
      await over;
      timeouts.restore();
    },
  };
}

test("nothing counts as heard before everything was told, on each line anew", async () => {
  const { say, age, pass, stop } = setUp();
  await say({ case: "keys", value: { issuer: "", keys: [] } });
  await say(heartbeat);
  assert.equal(age(), Infinity);
  await say(upTo(1));
  assert.equal(age(), 0);
  await say(goAway);
  await pass(100);
  await say({ case: "keys", value: { issuer: "", keys: [] } });
  assert.equal(age(), 100);
  await say(upTo(2));
  assert.equal(age(), 0);
  await stop();
});

test("it goes on from where it left, soon after it was told to, and later after each failure", async () => {
  const { say, heard, pass, time, stop } = setUp();
  await say(upTo(1));
  await say(upTo(2));
  await say(goAway);
  await pass(49);
  assert.deepEqual(heard.places, [[]], "not all at once with the others");
  await pass(51);
  assert.deepEqual(heard.places, [[], [2]]);
  assert.deepEqual(heard.failures, []);
  for (const pause of [200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
    const calls: number = heard.places.length;
    await pass(5_000);
    await pass(pause / 2 - 1);
    assert.equal(heard.places.length, calls);
    await pass(pause / 2 + 1);
    assert.deepEqual(heard.places.slice(calls), [[2]]);
  }
  assert.equal(heard.failures.length, 7);
  await say(heartbeat, time.now);
  await say(goAway);
  await pass(100);
  assert.equal(heard.places.length, 10, "what was heard ends that");
  await stop();
});

test("it hangs up on a line that is silent for five seconds, and on one that tells old things", async () => {
  const { say, heard, pass, time, stop } = setUp();
  await say(upTo(1));
  for (let second = 0; second < 20; second += 1) {
    await pass(4_000);
    await say(heartbeat);
  }
  assert.equal(heard.failures.length, 0);
  await pass(5_000);
  assert.ok(heard.signal.aborted);
  assert.match(String(heard.failures[0]), /nothing was heard/);
  await pass(200);
  await say(upTo(1));
  await say(heartbeat, time.now - 5_001);
  assert.match(String(heard.failures[1]), /is old/);
  await stop();
});

test("it stops at once, also between two calls", async () => {
  const { say, heard, pass, stop, settled } = setUp();
  await say(goAway);
  await stop();
  await pass(10_000).catch(() => undefined);
  await settled();
  assert.deepEqual(heard.places, [[]]);
});
