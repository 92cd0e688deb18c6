/** A call that streams, through a transport with our interceptor; in a real browser it does so in browser.test.ts. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { authInterceptor } from "countersign/connect";
import { Health, NOT_SERVING, SERVING } from "./support/health.js";
import { tokenExpired } from "./support/network.js";
import { signedIn } from "./support/people.js";
import { Service } from "./support/service.js";

/** A service, somebody signed in, and a client of the streaming call that shows what was sent. */
async function setUp(answer = fetch) {
  const service = await Service.start();
  const device = await signedIn(service, "bearer");
  const sent: (string | null)[] = [];
  const transport = createGrpcWebTransport({
    baseUrl: service.url,
    fetch: (input, init) => {
      sent.push(new Headers(init?.headers).get("authorization"));
      return answer(input, init);
    },
    interceptors: [authInterceptor(device)],
  });
  return { service, device, sent, client: createClient(Health, transport) };
}

test("answers arrive one by one, as there is news, and the call carries the token", async () => {
  const { service, device, sent, client } = await setUp();
  try {
    const answers = client.watch({})[Symbol.asyncIterator]();
    assert.equal((await answers.next()).value?.status, SERVING);
    assert.deepEqual(sent, [`Bearer ${device.session.credential()?.token}`]);
    const news = answers.next();
    service.stop();
    assert.equal((await news).value?.status, NOT_SERVING);
  } finally {
    await service.remove();
  }
});

test("a stream is not begun again for an expired token: who reads it does that", async () => {
  const { service, device, sent, client } = await setUp(() => Promise.resolve(tokenExpired()));
  try {
    const refused = (error: unknown) => error instanceof ConnectError && error.code === Code.Unauthenticated;
    await assert.rejects(client.watch({})[Symbol.asyncIterator]().next(), refused);
    assert.deepEqual([sent.length, device.network.count("Refresh")], [1, 0]);
    await device.session.credential()?.renew();
    assert.equal(device.network.count("Refresh"), 1);
  } finally {
    await service.remove();
  }
});

test("a stream can be given up between two answers", async () => {
  const { service, client } = await setUp();
  try {
    const controller = new AbortController();
    const answers = client.watch({}, { signal: controller.signal })[Symbol.asyncIterator]();
    assert.equal((await answers.next()).value?.status, SERVING);
    const next = answers.next();
    controller.abort();
    await assert.rejects(next, (error) => error instanceof ConnectError && error.code === Code.Canceled);
  } finally {
    await service.remove();
  }
});

test("a stream that is cut off fails, and is not taken for one that ended", async () => {
  const { service, device, client } = await setUp();
  try {
    const answers = client.watch({})[Symbol.asyncIterator]();
    assert.equal((await answers.next()).value?.status, SERVING);
    const cutOff = assert.rejects(answers.next(), ConnectError);
    await service.kill();
    await cutOff;
    assert.equal(device.session.state, "signed-in");
  } finally {
    await service.remove();
  }
});
