/** Tabs and processes that share a session; in a real browser they do so in browser.test.ts. */

import assert from "node:assert/strict";
import { after, before, describe, mock, test } from "node:test";
import type { AuthLocks } from "countersign";
import { createNetwork } from "./support/network.js";
import {
  address,
  copyOf,
  createDevice,
  createStorage,
  type Device,
  MODES,
  PASSWORD,
  refusal,
  signedIn,
} from "./support/people.js";
import { ORIGIN, Service } from "./support/service.js";
import { createGate, hang } from "./support/waiting.js";

let service: Service;
before(async () => {
  service = await Service.start();
});
after(() => service.remove());

for (const mode of MODES) {
  describe(`in ${mode} mode`, () => {
    test("two tabs with an expired token make one refresh where there are locks", async () => {
      const network = createNetwork(mode === "cookie" ? ORIGIN : undefined);
      const storage = createStorage();
      const locks = createLocks();
      const one = createDevice(service, mode, { network, storage, locks });
      const email = address();
      await one.session.signUp({ email, password: PASSWORD });
      await one.session.signIn({ email, password: PASSWORD });
      await one.auth.whoAmI({});
      const two = createDevice(service, mode, { network, storage, locks });
      network.expire();
      await Promise.all([one, two].flatMap(({ auth }) => Array.from({ length: 5 }, () => auth.whoAmI({}))));
      assert.equal(network.count("Refresh"), 1);
      assert.deepEqual([one.session.state, two.session.state], ["signed-in", "signed-in"]);
    });

    test("two tabs without locks both go on", async () => {
      const network = createNetwork(mode === "cookie" ? ORIGIN : undefined);
      const storage = createStorage();
      const one = createDevice(service, mode, { network, storage, locks: null });
      const email = address();
      await one.session.signUp({ email, password: PASSWORD });
      await one.session.signIn({ email, password: PASSWORD });
      const two = createDevice(service, mode, { network, storage, locks: null });
      await Promise.all([one.session.refresh(), two.session.refresh()]);
      assert.equal(network.count("Refresh"), 2);
      await Promise.all([one.auth.whoAmI({}), two.auth.whoAmI({})]);
      await one.session.refresh();
      await two.auth.whoAmI({});
    });

    test("a tab that is frozen with the lock in its hand holds up no other for ever", { timeout: 30_000 }, async () => {
      const { network, storage } = await signedIn(service, mode, { locks: null });
      const locks: AuthLocks = { request: (_, { signal }) => hang(signal) };
      const { auth, session } = createDevice(service, mode, { network, storage, locks });
      const timeout = mock.method(AbortSignal, "timeout", () => AbortSignal.abort());
      try {
        await session.refresh();
      } finally {
        timeout.mock.restore();
      }
      assert.deepEqual(
        timeout.mock.calls.map((call) => call.arguments),
        [[10_000]],
        "it waits for the lock as long as for an answer",
      );
      assert.ok((await auth.whoAmI({})).user);
    });

    test("a refresh that fails under the lock is not tried again without it", async () => {
      const { session, network } = await signedIn(service, mode, { locks: createLocks() });
      network.before = () => Promise.reject(new TypeError("fetch failed"));
      assert.equal((await refusal(session.refresh())).code, "unavailable");
      assert.equal(network.count("Refresh"), 1);
    });

    test("a tab that refreshes while another signs out is signed out, without locks too", async () => {
      const one = await signedIn(service, mode, { locks: null });
      const { network, storage } = one;
      const two = createDevice(service, mode, { network, storage, locks: null });
      const [answered, delivered] = [createGate(), createGate()];
      network.after = async (rpc) => {
        if (rpc !== "Refresh") return;
        answered.open();
        await delivered.opened;
      };
      const refreshed = one.session.refresh();
      await answered.opened;
      await two.session.signOut();
      delivered.open();
      await refreshed;
      assert.deepEqual([one.session.state, one.session.user], ["signed-out", undefined]);
      assert.equal(storage.getItem(`countersign ${service.url}`), null);
    });

    test("a tab hears that the other signed in and out", async () => {
      const network = createNetwork(mode === "cookie" ? ORIGIN : undefined);
      const storage = createStorage();
      const [one, two] = [
        createDevice(service, mode, { network, storage }),
        createDevice(service, mode, { network, storage }),
      ];
      const email = address();
      await one.session.signUp({ email, password: PASSWORD });
      const heardIn = change(two);
      await one.session.signIn({ email, password: PASSWORD });
      await heardIn;
      assert.equal(two.session.state, "signed-in");
      const heardOut = change(two);
      await one.session.signOut();
      await heardOut;
      assert.equal(two.session.state, "signed-out");
    });
  });
}

test("a tab hears that another found out about a session, from cookies that nobody knew of", async () => {
  const one = await signedIn(service, "cookie");
  const { network, storage } = one;
  storage.removeItem(`countersign ${service.url}`);
  const [finder, hearer] = [1, 2].map(() => createDevice(service, "cookie", { network, storage }));
  assert.ok(finder && hearer);
  assert.deepEqual([finder.session.state, hearer.session.state], ["signed-out", "signed-out"]);
  const heard = change(hearer);
  await finder.session.refresh();
  await heard;
  assert.deepEqual([finder.session.state, hearer.session.state], ["signed-in", "signed-in"]);
});

test("two clients with one refresh token at once both go on", async () => {
  const { storage, network } = await signedIn(service, "bearer");
  const clients = [1, 2].map(() => createDevice(service, "bearer", { network, storage: copyOf(storage) }));
  await Promise.all(clients.map(({ session }) => session.refresh()));
  assert.equal(network.count("Refresh"), 2);
  for (const { auth, session } of clients) {
    await auth.whoAmI({});
    await session.refresh();
  }
});

/** Resolves at the next change of what this client shows. */
function change({ session }: Device): Promise<void> {
  return new Promise((resolve) => {
    const end = session.subscribe(() => {
      end();
      resolve();
    });
  });
}

/** Web Locks, which Node.js 20 lacks. */

function createLocks(): AuthLocks {
  let last: Promise<unknown> = Promise.resolve();
  return {
    request<T>(_name: string, _options: { signal: AbortSignal }, callback: () => Promise<T>): Promise<T> {
      const mine = last.then(callback);
      last = mine.catch(() => undefined);
      return mine;
    },
  };
}
