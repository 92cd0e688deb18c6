/** A service that is away, slow or frozen: nobody is signed out by it. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { copyOf, createDevice, MODES, refusal, signedIn } from "./support/people.js";
import { Service } from "./support/service.js";
import { hang } from "./support/waiting.js";

let service: Service;
before(async () => {
  service = await Service.start();
});
after(() => service.remove());

for (const mode of MODES) {
  describe(`in ${mode} mode`, () => {
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

    for (const fate of ["killed", "frozen"] as const) {
      test(`two tabs outlast a service that is ${fate} for half a minute`, async () => {
        const own = await Service.startWithClock();
        try {
          const one = await signedIn(own, mode);
          const { network, storage } = one;
          const two = createDevice(own, mode, { network, storage });
          await Promise.all([one, two].map(({ auth }) => auth.whoAmI({})));

          const code = fate === "killed" ? "unavailable" : "deadline_exceeded";
          await (fate === "killed" ? own.kill() : own.freeze());
          await own.advance(30);
          const soon = fate === "killed" ? {} : { timeoutMs: 100 };
          for (const { auth, session } of [one, two]) {
            assert.equal((await refusal(auth.whoAmI({}, soon))).code, code);
            assert.equal((await refusal(session.signOut(soon))).code, code);
          }
          const reloaded = createDevice(own, mode, { network, storage, ...soon });
          assert.equal((await refusal(reloaded.session.refresh())).code, code);
          const states = () => [one, two, reloaded].map(({ session }) => session.state);
          assert.deepEqual(states(), ["signed-in", "signed-in", "signed-in"]);

          await (fate === "killed" ? own.resume() : own.thaw());
          const answers = await Promise.all([one, two].map(({ auth }) => auth.whoAmI({})));
          assert.deepEqual(
            answers.map(({ session }) => session?.id),
            Array(2).fill(
              (JSON.parse(storage.getItem(`countersign ${own.url}`) ?? "{}") as { session: string }).session,
            ),
          );
          await own.expireTokens();
          await Promise.all([one, two, one, two].map(({ auth }) => auth.whoAmI({})));
          assert.deepEqual(states(), ["signed-in", "signed-in", "signed-in"]);
          await one.session.signOut();
        } finally {
          await own.remove();
        }
      });
    }

    test("a token that expires in an outage is renewed after it, by the call that meets it", async () => {
      const own = await Service.startWithClock();
      try {
        const { auth, session, network } = await signedIn(own, mode);
        const before = network.count("Refresh");
        await own.kill();
        await own.expireTokens();
        assert.equal((await refusal(auth.whoAmI({}))).code, "unavailable");
        await own.resume();
        assert.equal((await auth.whoAmI({})).user?.id, session.user?.id);
        assert.equal(network.count("Refresh"), before + 1);
      } finally {
        await own.remove();
      }
    });
  });
}
