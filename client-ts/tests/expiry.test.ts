/** Tokens that really expire: the service's clock is set ahead. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { MODES, signedIn } from "./support/people.js";
import { Service } from "./support/service.js";

let service: Service;
before(async () => {
  service = await Service.startWithClock();
});
after(() => service.remove());

for (const mode of MODES) {
  test(`twenty calls bear an expiry with one refresh, in ${mode} mode, time and again`, async () => {
    const { auth, session, network } = await signedIn(service, mode);
    for (let round = 1; round <= 5; round += 1) {
      await service.expireTokens();
      await Promise.all(Array.from({ length: 20 }, () => auth.whoAmI({})));
      assert.equal(network.count("Refresh"), round);
    }
    await service.expireTokens();
    await session.signOut({ everywhere: true });
    assert.equal(session.state, "signed-out");
  });
}

test("two processes with one refresh token at the same moment both go on", async () => {
  const { storage } = await signedIn(service, "bearer");
  const kept = storage.getItem(`countersign ${service.url}`) ?? "";
  await service.expireTokens();
  const script = fileURLToPath(new URL("support/other-process.js", import.meta.url));
  const processes = [1, 2].map(() =>
    spawn(process.execPath, [script, service.url, kept], { stdio: ["pipe", "pipe", "inherit"] }),
  );
  const said = processes.map(({ stdout }) => createInterface({ input: stdout })[Symbol.asyncIterator]());
  const lines = async () => (await Promise.all(said.map((line) => line.next()))).map(({ value }) => value as unknown);
  assert.deepEqual(await lines(), ["ready", "ready"]);
  for (const { stdin } of processes) stdin.end("go\n");
  assert.deepEqual(await lines(), ["signed-in", "signed-in"]);
});
