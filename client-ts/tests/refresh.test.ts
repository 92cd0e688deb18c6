/** An expired token, as the calls of one client meet it. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { MODES, PASSWORD, refusal, signedIn } from "./support/people.js";
import { Service } from "./support/service.js";
import { createGate, hang } from "./support/waiting.js";

let service: Service;
before(async () => {
  service = await Service.start();
});
after(() => service.remove());

for (const mode of MODES) {
  describe(`in ${mode} mode`, () => {
    test("an expired token is renewed, and the call repeated", async () => {
      const { auth, session, network } = await signedIn(service, mode);
      const states: string[] = [];
      session.subscribe(() => states.push(session.state));
      await auth.whoAmI({});
      network.expire();
      const { user } = await auth.whoAmI({});
      assert.equal(user?.id, session.user?.id);
      assert.deepEqual(
        network.sent.slice(2).map(({ rpc }) => rpc),
        ["WhoAmI", "WhoAmI", "Refresh", "WhoAmI"],
      );
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
        while (mine === 20 && network.count("WhoAmI") < 1 + 20 + 19)
          await new Promise((resolve) => setImmediate(resolve));
      };
      const answers = await Promise.all(Array.from({ length: 20 }, () => auth.whoAmI({})));
      assert.equal(new Set(answers.map(({ user }) => user?.id)).size, 1);
      assert.equal(network.count("Refresh"), 1);
      assert.equal(network.count("WhoAmI"), 1 + 20 + 20);
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
      const gate = createGate();
      network.before = async (rpc) => {
        if (rpc !== "Refresh") return;
        second.abort();
        await gate.opened;
      };
      const given = refusal(auth.whoAmI({}, { signal: second.signal }));
      const kept = auth.whoAmI({});
      assert.equal((await given).code, "canceled");
      gate.open();
      assert.ok((await kept).user);
      assert.equal(network.count("Refresh"), 1);
    });
  });
}

test("what was begun as one person is not repeated as another", async () => {
  const { auth, session, network } = await signedIn(service, "bearer");
  const other = await signedIn(service, "bearer");
  await auth.whoAmI({});
  network.expire();
  const gate = createGate();
  let calls = 0;
  network.before = (rpc) => (rpc === "WhoAmI" && ++calls === 1 ? gate.opened : Promise.resolve());
  const call = refusal(auth.whoAmI({}));
  await session.signIn({ email: other.session.user?.email ?? "", password: PASSWORD });
  gate.open();
  assert.equal((await call).reason, "TOKEN_EXPIRED");
  assert.equal(calls, 1);
  assert.equal(session.user?.id, other.session.user?.id);
});
