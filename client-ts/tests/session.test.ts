/** The life of a session, in both modes, against the real service. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createDevice, createStorage, PASSWORD, address, refusal, signedIn, type Mode } from "./support/people.js";
import { ORIGIN, Service } from "./support/service.js";
import { createNetwork } from "./support/network.js";

let service: Service;
before(async () => {
  service = await Service.start();
});
after(() => service.remove());

for (const mode of ["cookie", "bearer"] as const satisfies Mode[]) {
  describe(`in ${mode} mode`, () => {
    test("a person signs up, signs in, is known, and signs out", async () => {
      const { auth, session, network } = createDevice(service, mode);
      const email = address();
      const states: string[] = [];
      session.subscribe(() => states.push(session.state));

      await session.signUp({ email, password: PASSWORD, displayName: "Ada" });
      assert.equal(session.state, "signed-out");
      const user = await session.signIn({ email, password: PASSWORD });
      assert.equal(user.email, email);
      assert.equal(user.displayName, "Ada");
      assert.equal(session.user, user);
      const answer = await auth.whoAmI({});
      assert.equal(answer.user?.id, user.id);
      assert.equal(session.user, user, "listeners are not told what they know");
      await session.signOut();
      assert.equal(session.user, undefined);

      assert.deepEqual(states, ["signed-in", "signed-out"]);
      assert.deepEqual(network.sent.map(({ rpc }) => rpc), ["SignUp", "Login", "WhoAmI", "Logout"]);
    });

    test("an expired token is renewed, and the call repeated", async () => {
      const { auth, session, network } = await signedIn(service, mode);
      const states: string[] = [];
      session.subscribe(() => states.push(session.state));
      await auth.whoAmI({});
      network.expire();
      const { user } = await auth.whoAmI({});
      assert.equal(user?.id, session.user?.id);
      assert.deepEqual(network.sent.slice(2).map(({ rpc }) => rpc), ["WhoAmI", "WhoAmI", "Refresh", "WhoAmI"]);
      assert.deepEqual(states, ["refreshing", "signed-in"]);
    });

    test("a call is repeated once, not for ever", async () => {
      const { auth, session, network } = await signedIn(service, mode);
      network.expireAll();
      assert.equal((await refusal(auth.whoAmI({}))).reason, "TOKEN_EXPIRED");
      assert.equal(network.count("Refresh"), 1);
      assert.equal(network.count("WhoAmI"), 2);
      assert.equal(session.state, "signed-in");
    });

    test("twenty calls with an expired token make one refresh, even where one fails late", async () => {
      const { auth, network } = await signedIn(service, mode);
      await auth.whoAmI({});
      network.expire();
      let calls = 0;
      network.before = async (rpc) => {
        if (rpc !== "WhoAmI") return;
        calls += 1;
        const mine = calls;
        // The last of the twenty is answered only when the others have been refreshed for and repeated.
        while (mine === 20 && network.count("WhoAmI") < 1 + 20 + 19) await new Promise((resolve) => setImmediate(resolve));
      };
      const answers = await Promise.all(Array.from({ length: 20 }, () => auth.whoAmI({})));
      assert.equal(new Set(answers.map(({ user }) => user?.id)).size, 1);
      assert.equal(network.count("Refresh"), 1);
      assert.equal(network.count("WhoAmI"), 1 + 20 + 20);
    });

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

    test("a tab hears that the other signed in and out", async () => {
      const network = createNetwork(mode === "cookie" ? ORIGIN : undefined);
      const storage = createStorage();
      const [one, two] = [createDevice(service, mode, { network, storage }), createDevice(service, mode, { network, storage })];
      const next = () => new Promise<void>((resolve) => {
        const end = two.session.subscribe(() => (end(), resolve()));
      });
      const email = address();
      await one.session.signUp({ email, password: PASSWORD });
      const heardIn = next();
      await one.session.signIn({ email, password: PASSWORD });
      await heardIn;
      assert.equal(two.session.state, "signed-in");
      const heardOut = next();
      await one.session.signOut();
      await heardOut;
      assert.equal(two.session.state, "signed-out");
    });

    test("only a refusal of the refresh signs out", async () => {
      const { auth, session, network, storage } = await signedIn(service, mode);
      await auth.whoAmI({});
      network.expire();
      network.before = async (rpc) => {
        if (rpc === "Refresh") throw new TypeError("fetch failed");
      };
      assert.equal((await refusal(auth.whoAmI({}))).code, "unavailable");
      assert.equal(session.state, "signed-in");
      assert.ok(session.user);

      network.before = async () => undefined;
      // Ends the session behind the client's back: another client with what this one keeps.
      await createDevice(service, mode, { network, storage: copyOf(storage) }).session.signOut();
      const error = await refusal(session.refresh());
      assert.equal(error.code, "unauthenticated");
      assert.equal(error.reason, mode === "cookie" ? "NOT_SIGNED_IN" : "SESSION_ENDED");
      assert.equal(session.state, "signed-out");
      assert.equal(session.user, undefined);
    });

    test("a refresh that takes too long signs nobody out", async () => {
      const { session, network } = await signedIn(service, mode, { timeoutMs: 200 });
      network.before = (_, signal) => hang(signal);
      assert.equal((await refusal(session.refresh())).code, "deadline_exceeded");
      assert.equal(session.state, "signed-in");
      network.before = async () => undefined;
      await session.refresh();
    });

    test("nobody is signed out while the service is down", async () => {
      const own = await Service.start();
      try {
        const { auth, session, network } = await signedIn(own, mode);
        await auth.whoAmI({});
        await own.kill();
        assert.equal((await refusal(auth.whoAmI({}))).code, "unavailable");
        assert.equal((await refusal(session.refresh())).code, "unavailable");
        assert.equal((await refusal(session.signOut())).code, "unavailable");
        assert.equal(session.state, "signed-in");
        await own.resume();
        await auth.whoAmI({});
        network.expire();
        await auth.whoAmI({});
        assert.equal(session.state, "signed-in");
        assert.equal(network.count("Refresh"), 2);
      } finally {
        await own.remove();
      }
    });

    test("who is not signed in makes no calls", async () => {
      const { auth, session, network } = createDevice(service, mode);
      const error = await refusal(auth.whoAmI({}));
      assert.equal(error.reason, "NOT_SIGNED_IN");
      await session.signOut();
      assert.equal(network.sent.length, 0);
    });

    test("after a page load a person is signed in at once, and known after a call", async () => {
      const { network, storage, session } = await signedIn(service, mode);
      const next = createDevice(service, mode, { network, storage });
      assert.equal(next.session.state, "signed-in");
      assert.deepEqual([next.session.user], [undefined]);
      await next.auth.whoAmI({});
      assert.equal(next.session.user?.id, session.user?.id);
    });

    test("signing out everywhere ends the other sessions, with an expired token too", async () => {
      const { auth, session, network } = await signedIn(service, mode);
      const email = session.user?.email ?? "";
      const other = createDevice(service, mode);
      await other.session.signIn({ email, password: PASSWORD });
      await auth.whoAmI({});
      network.expire();
      await session.signOut({ everywhere: true });
      assert.equal((await refusal(other.auth.whoAmI({}))).reason, "SESSION_ENDED");
      assert.equal(other.session.state, "signed-out");
    });

    test("refusals say why", async () => {
      const { session } = createDevice(service, mode);
      const weak = await refusal(session.signUp({ email: address(), password: "short" }));
      assert.equal(weak.code, "invalid_argument");
      assert.equal(weak.reason, "WEAK_PASSWORD");
      assert.deepEqual(weak.fields.map(({ field }) => field), ["password"]);
      const fields = await refusal(session.signUp({ email: "nobody", password: PASSWORD, displayName: "x".repeat(101) }));
      assert.equal(fields.reason, "INVALID_FIELDS");
      assert.deepEqual(fields.fields.map(({ field }) => field).sort(), ["display_name", "email"]);
      const bad = await refusal(session.signIn({ email: address(), password: PASSWORD }));
      assert.equal(bad.code, "unauthenticated");
      assert.equal(bad.reason, "BAD_CREDENTIALS");
      assert.deepEqual(bad.fields, []);
      assert.ok(bad.requestId, "there is something to quote to the operator");
    });

    test("a call ends at its deadline", async () => {
      const { auth, network, session } = await signedIn(service, mode);
      network.before = (_, signal) => hang(signal);
      assert.equal((await refusal(auth.whoAmI({}, { timeoutMs: 50 }))).code, "deadline_exceeded");
      assert.equal(session.state, "signed-in");
    });

    test("a call can be given up, and a refresh that others wait for goes on", async () => {
      const { auth, network } = await signedIn(service, mode);
      network.before = (_, signal) => hang(signal);
      const first = new AbortController();
      const call = refusal(auth.whoAmI({}, { signal: first.signal }));
      setImmediate(() => first.abort());
      assert.equal((await call).code, "canceled");

      network.before = async () => undefined;
      await auth.whoAmI({});
      network.expire();
      const second = new AbortController();
      network.before = async (rpc) => {
        if (rpc === "Refresh") second.abort();
      };
      const [given, kept] = await Promise.all([refusal(auth.whoAmI({}, { signal: second.signal })), auth.whoAmI({})]);
      assert.equal(given.code, "canceled");
      assert.ok(kept.user);
      assert.equal(network.count("Refresh"), 1);
    });
  });
}

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

test("in cookie mode no token is in any answer or in the storage", async () => {
  const { auth, session, network, storage } = await signedIn(service, "cookie");
  await auth.whoAmI({});
  await session.refresh();
  const credential = network.sent.map(({ headers }) => headers.get("cookie") ?? "").join();
  const token = /v4\.public\.[\w-]+|cs_rt_[\w-]+/;
  assert.match(credential, token, "the tokens are in the cookies");
  const readable = [...network.sent.map(({ body }) => body), ...(storage as ReturnType<typeof createStorage>).items.values()];
  assert.ok(readable.join().includes(session.user?.id ?? "?"), "the scan reads what was answered");
  for (const text of readable) assert.doesNotMatch(text, token);
  assert.ok(network.sent.every(({ headers }) => !headers.has("authorization")));
});

test("what was begun as one person is not repeated as another", async () => {
  const { auth, session, network } = await signedIn(service, "bearer");
  const other = await signedIn(service, "bearer");
  await auth.whoAmI({});
  network.expire();
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let calls = 0;
  network.before = (rpc) => (rpc === "WhoAmI" && ++calls === 1 ? held : Promise.resolve());
  const call = refusal(auth.whoAmI({}));
  await session.signIn({ email: other.session.user?.email ?? "", password: PASSWORD });
  release();
  assert.equal((await call).reason, "TOKEN_EXPIRED");
  assert.equal(calls, 1);
  assert.equal(session.user?.id, other.session.user?.id);
});

function copyOf(storage: { getItem(key: string): string | null }): ReturnType<typeof createStorage> {
  return createStorage(new Map((storage as ReturnType<typeof createStorage>).items));
}

/** As fetch does when nothing answers. */
function hang(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener("abort", () => reject(signal.reason));
  });
}

/** Web Locks, which Node.js 20 lacks. */
function createLocks() {
  let last: Promise<unknown> = Promise.resolve();
  return {
    request<T>(_name: string, _options: { signal: AbortSignal }, callback: () => Promise<T>): Promise<T> {
      const mine = last.then(callback);
      last = mine.catch(() => undefined);
      return mine;
    },
  };
}
