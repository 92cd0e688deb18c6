/** What people do with their accounts, in both modes, against the real service: the session always hears of it. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createDevice, type Mode, PASSWORD, refusal, signedIn } from "./support/people.js";
import { Service } from "./support/service.js";

const NEW_PASSWORD = "another horse, another battery";

let service: Service;
before(async () => {
  service = await Service.start();
});
after(() => service.remove());

for (const mode of ["cookie", "bearer"] as const satisfies Mode[]) {
  describe(`in ${mode} mode`, () => {
    test("a person sees and changes what is known of them", async () => {
      const { account, session, network } = await signedIn(service, mode);
      await account.updateProfile({ displayName: "Ada Lovelace", metadata: { entries: { team: "blue" } } });
      await account.getAccount({});
      network.expire();
      const answer = await account.getAccount({});
      assert.equal(answer.account?.user?.id, session.user?.id);
      assert.equal(answer.account?.user?.displayName, "Ada Lovelace");
      assert.deepEqual(answer.account?.metadata, { team: "blue" });
      assert.equal(network.count("Refresh"), 1);
    });

    test("a new password keeps this device signed in, and no other", async () => {
      const device = await signedIn(service, mode);
      const email = device.session.user?.email ?? "";
      const other = createDevice(service, mode);
      await other.session.signIn({ email, password: PASSWORD });
      const wrong = device.account.changePassword({ currentPassword: NEW_PASSWORD, newPassword: NEW_PASSWORD });
      assert.equal((await refusal(wrong)).reason, "BAD_CREDENTIALS");
      assert.equal(device.session.state, "signed-in");

      await device.account.changePassword({ currentPassword: PASSWORD, newPassword: NEW_PASSWORD });

      assert.equal((await device.auth.whoAmI({})).user?.email, email);
      await device.session.refresh();
      assert.equal((await refusal(other.auth.whoAmI({}))).reason, "SESSION_ENDED");
      assert.equal(other.session.state, "signed-out");
      await other.session.signIn({ email, password: NEW_PASSWORD });
    });

    test("a fresh proof renews the session, which can be refreshed after it", async () => {
      const { account, auth, session } = await signedIn(service, mode);
      const before = await auth.whoAmI({});
      assert.equal((await refusal(account.reauthenticate({ password: NEW_PASSWORD }))).reason, "BAD_CREDENTIALS");
      await account.reauthenticate({ password: PASSWORD });
      await session.refresh();
      assert.equal((await auth.whoAmI({})).session?.id, before.session?.id);
      assert.match((await account.exportAccount({})).json, /"reauthenticated"/);
    });

    test("sessions are seen and ended, the own one too", async () => {
      const device = await signedIn(service, mode);
      const email = device.session.user?.email ?? "";
      for (let count = 0; count < 2; count += 1)
        await createDevice(service, mode).session.signIn({ email, password: PASSWORD });
      const { sessions } = await device.account.listSessions({});
      assert.deepEqual(sessions.map(({ current }) => current).sort(), [false, false, true]);
      const [other] = sessions.filter(({ current }) => !current);
      await device.account.revokeSession({ sessionId: other?.session?.id ?? "" });
      assert.equal(device.session.state, "signed-in");
      assert.equal((await device.account.revokeOtherSessions({})).ended, 1);
      const [own] = (await device.account.listSessions({})).sessions;
      await device.account.revokeSession({ sessionId: own?.session?.id ?? "" });
      assert.equal(device.session.state, "signed-out");
    });

    test("deleting the account signs out, and signing in keeps it", async () => {
      const { account, session } = await signedIn(service, mode);
      const email = session.user?.email ?? "";
      const { deletesAt } = await account.deleteAccount({});
      assert.ok(deletesAt !== undefined);
      assert.equal(session.state, "signed-out");
      assert.equal((await refusal(account.getAccount({}))).reason, "NOT_SIGNED_IN");
      await session.signIn({ email, password: PASSWORD });
    });

    test("asking for a letter is answered alike for everybody, and a wrong code is refused", async () => {
      const { auth, session } = await signedIn(service, mode);
      for (const email of [session.user?.email ?? "", "nobody@example.com"]) {
        await auth.requestPasswordReset({ email });
        await auth.resendVerification({ email });
        assert.equal((await refusal(auth.verifyEmail({ email, code: "00000000" }))).reason, "CODE_INVALID");
      }
      const token = `cs_ot_${"A".repeat(43)}`;
      assert.equal((await refusal(auth.resetPassword({ token, newPassword: NEW_PASSWORD }))).reason, "CODE_INVALID");
      assert.equal(session.state, "signed-in");
    });
  });
}
