/** What an edge runtime's fetch does not take, and an answer that leads elsewhere, which nobody may follow with a token. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { createVerifier } from "countersign/verify";
import { AUDIENCE, createIssuer, ISSUER } from "./support/issuer.js";
import { createDevice, MODES, refusal, signedIn } from "./support/people.js";
import { Service } from "./support/service.js";

let service: Service;
before(async () => {
  service = await Service.start();
});
after(() => service.remove());

/** Refuses what those do that have neither cookies nor a way to fail on a redirect. */
const edge: typeof fetch = (input, init) => {
  for (const field of ["credentials", "mode", "cache"]) assert.ok(!(init && field in init), `there is no ${field}`);
  if (init?.redirect === "error") throw new TypeError('Invalid redirect value, must be one of "follow" or "manual"');
  return fetch(input, init);
};

/** An answer to every request, and how many there were. */
async function answering(status: number, location: string) {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    request.resume();
    response.writeHead(status, { location }).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

test("a client in bearer mode asks nothing of an edge runtime that it has not", async () => {
  const { storage } = await signedIn(service, "bearer");
  const { auth, session } = createDevice(service, "bearer", { storage, fetch: edge });
  assert.ok((await auth.whoAmI({})).user);
  await session.refresh();
  await session.signOut();
});

test("nor does a verifier", async () => {
  const keysUrl = `${service.url}/.well-known/countersign/keys`;
  const verifier = createVerifier({ keysUrl, issuer: ISSUER, audience: AUDIENCE, fetch: edge });
  assert.equal((await refusal(verifier.verify(createIssuer().token()))).reason, "TOKEN_INVALID");
});

for (const mode of MODES) {
  test(`a call that is answered with a redirect fails, goes nowhere else, and signs nobody out, in ${mode} mode`, async () => {
    const device = await signedIn(service, mode);
    const elsewhere = await answering(200, "");
    const astray = await answering(307, `${elsewhere.url}/countersign.v1.AuthService/WhoAmI`);
    try {
      const fetch: typeof globalThis.fetch = (input, init) =>
        device.network.fetch(String(input).replace(service.url, astray.url), init);
      const { auth, session } = createDevice(service, mode, { storage: device.storage, fetch });
      for (const call of [auth.whoAmI({}), session.refresh()]) {
        const { code, reason } = await refusal(call);
        assert.deepEqual([code, reason], ["unknown", undefined]);
      }
      assert.equal(session.state, "signed-in");
      assert.deepEqual([astray.asked(), elsewhere.asked()], [2, 0]);
    } finally {
      await Promise.all([astray.stop(), elsewhere.stop()]);
    }
  });
}

test("keys are not taken from where a redirect leads", async () => {
  const elsewhere = await answering(200, "");
  const astray = await answering(302, elsewhere.url);
  try {
    const verifier = createVerifier({ keysUrl: astray.url, issuer: ISSUER, audience: AUDIENCE });
    assert.equal((await refusal(verifier.verify(createIssuer().token()))).code, "unavailable");
    assert.deepEqual([astray.asked(), elsewhere.asked()], [1, 0]);
  } finally {
    await Promise.all([astray.stop(), elsewhere.stop()]);
  }
});
