/** Signing keys are replaced while people are signed in: no verifier refuses any of them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createVerifier } from "countersign/verify";
import { AUDIENCE, ISSUER } from "./support/issuer.js";
import { signedIn } from "./support/people.js";
import { rotateUnderLoad } from "./support/rotations.js";
import { Service } from "./support/service.js";

const ROUNDS = 5;
/** Longer than a verifier keeps the keys without asking again. */
const KEPT_S = 6 * 60;

test("keys that are replaced again and again make no verifier refuse anybody", { timeout: 120_000 }, async () => {
  const service = await Service.startWithClock({ COUNTERSIGN_SERVER__PUBLIC_URL: ISSUER });
  try {
    let ahead = 0;
    const keysUrl = `${service.url}/.well-known/countersign/keys`;
    const clock = () => Date.now() + ahead * 1000;
    const verifier = () => createVerifier({ keysUrl, issuer: ISSUER, audience: AUDIENCE, clock });
    const { verify } = verifier();
    const { auth, session, storage } = await signedIn(service, "bearer");

    /** The token that the person has after a call, and the key that it was signed with. */
    async function present(): Promise<{ readonly token: string; readonly kid: string }> {
      await auth.whoAmI({});
      const token = /v4\.public\.[\w.-]+/.exec(storage.getItem(`countersign ${service.url}`) ?? "")?.[0] ?? "";
      const footer = Buffer.from(token.split(".")[3] ?? "", "base64url").toString();
      return { token, kid: (JSON.parse(footer) as { kid: string }).kid };
    }
    async function listsTheNext(): Promise<boolean> {
      const { keys } = (await (await fetch(keysUrl)).json()) as { keys: readonly { status: string }[] };
      return keys.some(({ status }) => status === "next");
    }
    async function passes({ token }: { readonly token: string }): Promise<void> {
      await verify(token);
      await verifier().verify(token);
    }

    for (let round = 0; round < ROUNDS; round += 1) {
      const before = await present();
      await passes(before);
      assert.match(await service.run("key", "rotate"), /the next key is published/);
      while (!(await listsTheNext())) {
        // It hears of it in a moment.
      }
      ahead += KEPT_S;
      await service.advance(KEPT_S);
      await passes(await present());

      // The next key signs at once, and whoever holds a token of this one refreshes.
      await service.run("key", "revoke", before.kid);
      let after = await present();
      while (after.kid === before.kid) after = await present();
      await passes(after);
      const { code, reason } = await verifier()
        .verify(before.token)
        .then(
          () => ({ code: "passed", reason: undefined }),
          (error: { code: string; reason: string }) => error,
        );
      assert.deepEqual([code, reason], ["unauthenticated", "TOKEN_INVALID"], "the key that is gone");
    }
    assert.equal(session.state, "signed-in");
  } finally {
    await service.remove();
  }
});

test("keys that change quickly, under load, make no verifier refuse anybody falsely", {
  timeout: 120_000,
}, async () => {
  const { rotations, verified, falselyRefused, took } = await rotateUnderLoad(3, 0);
  assert.deepEqual(falselyRefused, []);
  assert.ok(verified >= 3 * 2 * 4 * 2, `${verified}`);
  assert.equal(took.length, rotations);
  assert.ok((took[1] ?? Infinity) < 1_000, `${took} ms`);
});
