/** What a client does when its surroundings fail: a storage that takes nothing, a service that asks for a pause. */

import assert from "node:assert/strict";
import { after, before, mock, test } from "node:test";
import { copyOf, createDevice, createStorage, MODES, PASSWORD, refusal, signedIn } from "./support/people.js";
import { Service } from "./support/service.js";
import { createGate } from "./support/waiting.js";

let service: Service;
before(async () => {
  service = await Service.start();
});
after(() => service.remove());

/** A storage that takes nothing while it is full. */
function createSmallStorage() {
  const storage = createStorage();
  const small = {
    ...storage,
    isFull: false,
    setItem(key: string, value: string) {
      if (small.isFull) throw new DOMException("full", "QuotaExceededError");
      storage.setItem(key, value);
    },
  };
  return small;
}

test("a full storage costs nobody their session", async () => {
  const storage = createSmallStorage();
  const { auth, session } = await signedIn(service, "bearer", { storage });
  storage.isFull = true;
  for (let round = 0; round < 3; round += 1) {
    const before = session.credential()?.token;
    await session.refresh();
    assert.notEqual(session.credential()?.token, before);
    await auth.whoAmI({});
  }
  storage.isFull = false;
  // What it holds is three refreshes old.
  await session.refresh();
  await createDevice(service, "bearer", { storage }).auth.whoAmI({});
});

test("what another tab has written counts for more than what could not be stored", async () => {
  const storage = createSmallStorage();
  const one = await signedIn(service, "bearer", { storage });
  storage.isFull = true;
  await one.session.refresh();
  storage.isFull = false;
  const email = one.session.user?.email ?? "";
  await createDevice(service, "bearer", { storage }).session.signIn({ email, password: PASSWORD });
  const kept = JSON.parse(storage.getItem(`countersign ${service.url}`) ?? "{}") as { session: string };
  assert.equal((await one.auth.whoAmI({})).session?.id, kept.session);
});

for (const mode of MODES) {
  test(`old news of another tab, which the storage brings late, is no refresh for this expiry, in ${mode} mode`, async () => {
    const one = await signedIn(service, mode);
    const { network, storage } = one;
    const stale = copyOf(storage);
    let view = stale;
    const two = createDevice(service, mode, {
      network,
      storage: {
        getItem: (key) => view.getItem(key),
        setItem: (key, value) => storage.setItem(key, value),
        removeItem: (key) => storage.removeItem(key),
      },
    });
    await one.session.refresh();
    await one.auth.whoAmI({});
    network.expireAll();
    network.before = async (rpc) => {
      // The storage catches up while the call is under way.
      if (rpc === "WhoAmI") view = storage as typeof stale;
      if (rpc === "Refresh") network.recover();
    };
    assert.ok((await two.auth.whoAmI({})).user);
    assert.deepEqual(
      network.sent.slice(-4).map(({ rpc }) => rpc),
      ["WhoAmI", "WhoAmI", "Refresh", "WhoAmI"],
    );
  });
}

test("no refresh is sent before the service wants one", async () => {
  const clock = mock.method(performance, "now", () => 1000);
  try {
    const { network, storage } = await signedIn(service, "bearer");
    let isBusy = true;
    let refreshes = 0;
    const fetch: typeof globalThis.fetch = (input, init) => {
      if (!String(input).endsWith("/Refresh")) return network.fetch(input, init);
      refreshes += 1;
      return isBusy ? Promise.resolve(comeBackIn(3)) : network.fetch(input, init);
    };
    const { auth, session } = createDevice(service, "bearer", { fetch, storage });
    const first = await refusal(session.refresh());
    assert.deepEqual([first.code, first.reason, first.retryAfterMs], ["unavailable", "UNAVAILABLE", 3000]);

    clock.mock.mockImplementation(() => 3999);
    await auth.whoAmI({});
    network.expire();
    assert.equal((await refusal(auth.whoAmI({}))).code, "unavailable");
    assert.equal((await refusal(session.refresh())).code, "unavailable");
    assert.equal(refreshes, 1);
    assert.equal(session.state, "signed-in");

    clock.mock.mockImplementation(() => 4000);
    isBusy = false;
    await auth.whoAmI({});
    assert.equal(refreshes, 2);
  } finally {
    clock.mock.restore();
  }
});

test("what another tab has renewed is used, even while the service wants no refresh", async () => {
  const one = await signedIn(service, "bearer");
  const { network, storage } = one;
  await one.auth.whoAmI({});
  network.expire();
  const gate = createGate();
  const fetch: typeof globalThis.fetch = async (input, init) => {
    if (String(input).endsWith("/Refresh")) return comeBackIn(3);
    const answer = await network.fetch(input, init);
    await gate.opened;
    return answer;
  };
  const two = createDevice(service, "bearer", { fetch, storage });
  const late = two.auth.whoAmI({});
  await one.session.refresh();
  assert.equal((await refusal(two.session.refresh())).retryAfterMs, 3000);
  gate.open();
  assert.ok((await late).user);
});

/** UNAVAILABLE with an ErrorInfo and a RetryInfo of so many seconds, as the service answers without its database. */
function comeBackIn(seconds: number): Response {
  const field = (id: number, value: string | Buffer) =>
    Buffer.concat([Buffer.from([(id << 3) | 2, value.length]), Buffer.from(value)]);
  const any = (type: string, value: Buffer) =>
    field(3, Buffer.concat([field(1, `type.googleapis.com/google.rpc.${type}`), field(2, value)]));
  const info = Buffer.concat([field(1, "UNAVAILABLE"), field(2, "countersign")]);
  const status = Buffer.concat([
    Buffer.from([8, 14]),
    any("ErrorInfo", info),
    any("RetryInfo", field(1, Buffer.from([8, seconds]))),
  ]);
  const headers = {
    "content-type": "application/grpc-web+proto",
    "grpc-status": "14",
    "grpc-status-details-bin": status.toString("base64"),
  };
  return new Response(null, { headers });
}
