/** Of tokens with one wrong character, the service and the offline verifier say the same: that they are not valid. */

import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { test } from "node:test";
import { createVerifier } from "countersign/verify";
import { changed } from "./support/bad-tokens.js";
import { AUDIENCE } from "./support/issuer.js";
import { refusal, signedIn } from "./support/people.js";
import { Service } from "./support/service.js";

const CONNECTIONS = 16;

/** WhoAmI with this token, by hand: ten thousand calls of an RPC library take a minute. */
function whoAmI(url: string, token: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token}`,
      "content-type": "application/grpc-web+proto",
      "x-grpc-web": "1",
    };
    const call = request(`${url}/countersign.v1.AuthService/WhoAmI`, { method: "POST", agent, headers }, (answer) => {
      const details = String(answer.headers["grpc-status-details-bin"] ?? "");
      const reason = /[A-Z_]{8,}/.exec(Buffer.from(details, "base64").toString("latin1"))?.[0] ?? "";
      answer.resume().on("end", () => resolve(`${answer.headers["grpc-status"] ?? "in the body"} ${reason}`));
    });
    call.on("error", reject);
    // An empty message.
    call.end(Buffer.alloc(5));
  });
}

test("no token with a changed character passes, of 10,000, here or there", async () => {
  const service = await Service.start({ COUNTERSIGN_LOG__LEVEL: "error" });
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  try {
    const { session } = await signedIn(service, "bearer");
    const token = session.credential()?.token ?? "";
    const keysUrl = `${service.url}/.well-known/countersign/keys`;
    const { verify } = createVerifier({ keysUrl, issuer: "http://localhost:50051", audience: AUDIENCE });
    await verify(token);
    assert.equal(await whoAmI(service.url, token, agent), "in the body ");

    const tokens = changed(token, 10_000);
    const here = await Promise.all(tokens.map((other) => refusal(verify(other))));
    assert.deepEqual(new Set(here.map(({ reason }) => reason)), new Set(["TOKEN_INVALID"]));
    const there = await Promise.all(tokens.map((other) => whoAmI(service.url, other, agent)));
    assert.deepEqual(new Set(there), new Set(["16 TOKEN_INVALID"]));
  } finally {
    agent.destroy();
    await service.remove();
  }
});
