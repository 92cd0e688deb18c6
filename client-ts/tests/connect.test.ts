/** The interceptor, on a transport that is not ours. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Client, Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import type { AuthStorage } from "countersign";
import { authInterceptor } from "countersign/connect";
import { copyOf, createDevice, type Device, MODES, type Mode, PASSWORD, signedIn } from "./support/people.js";
import { Service } from "./support/service.js";
import { createGate, hang } from "./support/waiting.js";

// Stands for somebody's own service: it accepts our tokens, and refuses as a service should.
const generated = new URL("../../dist/gen/countersign/v1/auth_service_pb.js", import.meta.url).href;
const { AuthService } = (await import(generated)) as typeof import("../dist/gen/countersign/v1/auth_service_pb.js");

let service: Service;
before(async () => {
  service = await Service.start();
});
after(() => service.remove());

function own({ network, ...device }: Device, mode: Mode, ...others: Interceptor[]): Client<typeof AuthService> {
  const fetch: typeof globalThis.fetch = (input, init) =>
    network.fetch(input, { ...init, ...(mode === "cookie" ? { credentials: "include" } : {}) });
  return createClient(
    AuthService,
    createGrpcWebTransport({ baseUrl: service.url, fetch, interceptors: [authInterceptor(device), ...others] }),
  );
}

async function failure(promise: Promise<unknown>): Promise<ConnectError> {
  const error: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(error instanceof ConnectError, String(error));
  return error;
}

for (const mode of MODES) {
  describe(`in ${mode} mode`, () => {
    test("a call carries the token, and is repeated after one refresh for all, even where one fails late", async () => {
      const device = await signedIn(service, mode);
      const { network } = device;
      const client = own(device, mode);
      assert.equal((await client.whoAmI({})).user?.id, device.session.user?.id);
      network.expire();
      let calls = 0;
      network.before = async (rpc) => {
        if (rpc !== "WhoAmI") return;
        const mine = ++calls;
        while (mine === 20 && network.count("WhoAmI") < 1 + 20 + 19)
          await new Promise((resolve) => setImmediate(resolve));
      };
      await Promise.all(Array.from({ length: 20 }, () => client.whoAmI({})));
      assert.equal(network.count("Refresh"), 1);
    });

    test("a call is repeated once, not for ever", async () => {
      const device = await signedIn(service, mode);
      device.network.expireAll();
      assert.equal((await failure(own(device, mode).whoAmI({}))).code, Code.Unauthenticated);
      assert.equal(device.network.count("WhoAmI"), 2);
      assert.equal(device.network.count("Refresh"), 1);
      assert.equal(device.session.state, "signed-in");
    });

    test("old news of another tab, which the storage brings late, is no refresh for this expiry", async () => {
      const one = await signedIn(service, mode);
      const { network, storage } = one;
      let view: AuthStorage = copyOf(storage);
      const two = createDevice(service, mode, {
        network,
        storage: { ...storage, getItem: (key) => view.getItem(key) },
      });
      await one.session.refresh();
      network.expireAll();
      network.before = async (rpc) => {
        if (rpc === "WhoAmI") view = storage;
        if (rpc === "Refresh") network.recover();
      };
      assert.ok((await own(two, mode).whoAmI({})).user);
      assert.deepEqual(
        network.sent.slice(-4).map(({ rpc }) => rpc),
        ["WhoAmI", "WhoAmI", "Refresh", "WhoAmI"],
      );
    });

    test("who is not signed in sends no token, and refreshes nothing", async () => {
      const device = await signedIn(service, mode);
      await device.session.signOut();
      assert.equal((await failure(own(device, mode).whoAmI({}))).code, Code.Unauthenticated);
      assert.equal(device.network.sent.at(-1)?.headers.has("authorization"), false);
      assert.equal(device.network.count("Refresh"), 0);
    });

    test("nothing but an expired token is refreshed for", async () => {
      const device = await signedIn(service, mode);
      const client = own(device, mode);
      // Ends the session behind the client's back.
      const { storage, network } = device;
      const same = createDevice(service, mode, {
        network,
        storage: copyOf(storage),
      });
      await same.session.signOut({ everywhere: true });
      assert.equal((await failure(client.whoAmI({}))).code, Code.Unauthenticated);
      assert.equal(network.count("Refresh"), 0);
      assert.equal(device.session.state, "signed-in", "that is for the service itself to say");
    });

    test("a refresh that fails is thrown as Connect's errors are, and signs nobody out", async () => {
      const device = await signedIn(service, mode);
      const client = own(device, mode);
      await client.whoAmI({});
      device.network.expire();
      device.network.before = (rpc) =>
        rpc === "Refresh" ? Promise.reject(new TypeError("fetch failed")) : Promise.resolve();
      const error = await failure(client.whoAmI({}));
      assert.ok(error.cause instanceof TypeError, "as if the call itself had failed so");
      assert.equal(device.session.state, "signed-in");
    });

    test("a call keeps its deadline while others wait for the refresh", async () => {
      const device = await signedIn(service, mode);
      const client = own(device, mode);
      await client.whoAmI({});
      device.network.expire();
      const gate = createGate();
      device.network.before = (rpc, signal) =>
        rpc === "Refresh" ? Promise.race([gate.opened, hang(signal)]) : Promise.resolve();
      const patient = client.whoAmI({});
      assert.equal((await failure(client.whoAmI({}, { timeoutMs: 100 }))).code, Code.DeadlineExceeded);
      gate.open();
      assert.ok((await patient).user);
      assert.equal(device.network.count("Refresh"), 1);
    });

    test("a call that is given up as it is refused waits for no refresh", async () => {
      const device = await signedIn(service, mode);
      const controller = new AbortController();
      const gate = createGate();
      device.network.expireAll();
      device.network.before = (rpc) => (rpc === "Refresh" ? gate.opened : Promise.resolve());
      const client = own(device, mode, (next) => async (request) => {
        try {
          return await next(request);
        } finally {
          controller.abort();
        }
      });
      assert.equal((await failure(client.whoAmI({}, { signal: controller.signal }))).code, Code.Canceled);
      gate.open();
    });
  });
}

test("what one person began is not repeated as another, and another service's refusal signs nobody out", async () => {
  const [device, other] = [await signedIn(service, "bearer"), await signedIn(service, "bearer")];
  const client = own(device, "bearer");
  await client.whoAmI({});
  device.network.expire();
  const gate = createGate();
  device.network.before = (rpc) => (rpc === "WhoAmI" ? gate.opened : Promise.resolve());
  const call = failure(client.whoAmI({}));
  await device.session.signIn({ email: other.session.user?.email ?? "", password: PASSWORD });
  gate.open();
  assert.equal((await call).code, Code.Unauthenticated);
  assert.equal(device.network.count("WhoAmI"), 2);
  assert.equal(device.session.user?.id, other.session.user?.id);
});
