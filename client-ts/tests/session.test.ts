/** The life of a session, in both modes, against the real service. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { address, createDevice, type createStorage, MODES, PASSWORD, refusal, signedIn } from "./support/people.js";
import { Service } from "./support/service.js";
import { createGate } from "./support/waiting.js";

let service: Service;
before(async () => {
  service = await Service.start();
});
after(() => service.remove());

for (const mode of MODES) {
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
      assert.deepEqual(
        network.sent.map(({ rpc }) => rpc),
        ["SignUp", "Login", "WhoAmI", "Logout"],
      );
    });

    test("who is not signed in makes no calls", async () => {
      const { auth, session, network } = createDevice(service, mode);
      if (mode === "bearer") assert.equal((await refusal(session.refresh())).reason, "NOT_SIGNED_IN");
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

    test("who signs out of a session that is over has what they asked for", async () => {
      const { auth, session, network } = await signedIn(service, mode);
      const other = createDevice(service, mode);
      await other.session.signIn({ email: session.user?.email ?? "", password: PASSWORD });
      await other.session.signOut({ everywhere: true });
      await session.signOut();
      assert.equal(session.state, "signed-out");
      assert.equal(network.count("Logout"), 1);
      assert.equal((await refusal(auth.whoAmI({}))).reason, "NOT_SIGNED_IN");
    });

    test("a sign-out waits for a refresh, which would bring the session back", async () => {
      const { session, network } = await signedIn(service, mode);
      const gate = createGate();
      const order: string[] = [];
      network.before = async (rpc) => void order.push(`${rpc} is sent`);
      network.after = async (rpc) => {
        if (rpc === "Refresh") await gate.opened;
        order.push(`${rpc} is answered`);
      };
      const refreshed = session.refresh();
      const signedOut = session.signOut();
      // Somebody else's call, sent later and answered: a sign-out that did not wait would be under way.
      await signedIn(service, mode);
      gate.open();
      await Promise.all([refreshed, signedOut]);
      assert.deepEqual(order, ["Refresh is sent", "Refresh is answered", "Logout is sent", "Logout is answered"]);
      assert.equal(session.state, "signed-out");
      network.before = () => Promise.resolve();
      assert.equal((await refusal(session.refresh())).reason, "NOT_SIGNED_IN");
      assert.equal(session.state, "signed-out");
    });

    test("a refusal that arrives late does not end the session that was opened since", async () => {
      const { auth, session, network } = await signedIn(service, mode);
      const email = session.user?.email ?? "";
      const gate = createGate();
      network.after = (rpc) => (rpc === "WhoAmI" ? gate.opened : Promise.resolve());
      const other = createDevice(service, mode);
      await other.session.signIn({ email, password: PASSWORD });
      await other.session.signOut({ everywhere: true });
      const late = refusal(auth.whoAmI({}));
      await session.signIn({ email, password: PASSWORD });
      gate.open();
      assert.equal((await late).reason, "SESSION_ENDED");
      assert.equal(session.state, "signed-in");
      assert.ok((await auth.whoAmI({})).user);
    });

    test("an answer about one person that arrives late is not shown for another", async () => {
      const { auth, session, network } = await signedIn(service, mode);
      const other = await signedIn(service, mode);
      const [answered, delivered] = [createGate(), createGate()];
      network.after = async (rpc) => {
        if (rpc !== "WhoAmI") return;
        answered.open();
        await delivered.opened;
      };
      const late = auth.whoAmI({});
      await answered.opened;
      const user = await session.signIn({ email: other.session.user?.email ?? "", password: PASSWORD });
      delivered.open();
      assert.notEqual((await late).user?.id, user.id);
      assert.equal(session.user, user);
    });

    test("refusals say why", async () => {
      const { session } = createDevice(service, mode);
      const weak = await refusal(session.signUp({ email: address(), password: "short" }));
      assert.equal(weak.code, "invalid_argument");
      assert.equal(weak.reason, "WEAK_PASSWORD");
      assert.deepEqual(
        weak.fields.map(({ field }) => field),
        ["password"],
      );
      const fields = await refusal(
        session.signUp({ email: "nobody", password: PASSWORD, displayName: "x".repeat(101) }),
      );
      assert.equal(fields.reason, "INVALID_FIELDS");
      assert.deepEqual(fields.fields.map(({ field }) => field).sort(), ["display_name", "email"]);
      const bad = await refusal(session.signIn({ email: address(), password: PASSWORD }));
      assert.equal(bad.code, "unauthenticated");
      assert.equal(bad.reason, "BAD_CREDENTIALS");
      assert.deepEqual(bad.fields, []);
      assert.ok(bad.requestId, "there is something to quote to the operator");
    });
  });
}

test("in cookie mode no token is in any answer or in the storage", async () => {
  const { auth, session, network, storage } = await signedIn(service, "cookie");
  await auth.whoAmI({});
  await session.refresh();
  const credential = network.sent.map(({ headers }) => headers.get("cookie") ?? "").join();
  const token = /v4\.public\.[\w-]+|cs_rt_[\w-]+/;
  assert.match(credential, token, "the tokens are in the cookies");
  const readable = [
    ...network.sent.map(({ body }) => body),
    ...(storage as ReturnType<typeof createStorage>).items.values(),
  ];
  assert.ok(readable.join().includes(session.user?.id ?? "?"), "the scan reads what was answered");
  for (const text of readable) assert.doesNotMatch(text, token);
  assert.ok(network.sent.every(({ headers }) => !headers.has("authorization")));
});
