/** What other services ask: with keys of their own, and nothing else. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createAuthClient } from "countersign";
import { createBackend } from "./support/backend.js";
import { refusal, signedIn } from "./support/people.js";
import { Service } from "./support/service.js";

let service: Service;
let headers: { readonly authorization: string };
before(async () => {
  service = await Service.start();
  headers = { authorization: `Bearer ${await createBackend(service)}` };
});
after(() => service?.remove());

const open = () => createAuthClient({ baseUrl: service.url, mode: "bearer" }).tokens;

test("a service learns what a token is worth, before and after its session ends", async () => {
  const tokens = open();
  const { auth, session } = await signedIn(service, "bearer");
  await auth.whoAmI({});
  const { token = "" } = session.credential() ?? {};

  const { status } = await tokens.verifyToken({ token }, { headers });
  assert.equal(status?.active, true);
  assert.equal(status?.claims?.userId, session.user?.id);
  await session.signOut();
  const { statuses } = await tokens.batchVerifyTokens({ tokens: [token, "junk"] }, { headers });
  assert.deepEqual(
    statuses.map(({ active, claims }) => [active, claims]),
    [
      [false, undefined],
      [false, undefined],
    ],
  );
});

test("a service that listens hears of a sign-out", { timeout: 60_000 }, async () => {
  const { auth, session } = await signedIn(service, "bearer");
  const { session: own } = await auth.whoAmI({});
  const ended = Buffer.from((own?.id ?? "").replaceAll("-", ""), "hex");
  const isOver = new AbortController();
  const news = open().watchRevocations({}, { headers, signal: isOver.signal });
  let isUpToDate = false;
  for await (const { event } of news) {
    if (event.case === "upTo" && !isUpToDate) {
      isUpToDate = true;
      await session.signOut();
    }
    const told = event.case === "revocations" ? event.value.revocations : [];
    if (told.some(({ revoked }) => revoked.case === "sessionId" && ended.equals(revoked.value))) break;
  }
  assert.ok(isUpToDate);

  const listener = open().watchRevocations({}, { headers, signal: isOver.signal })[Symbol.asyncIterator]();
  await listener.next();
  isOver.abort();
  const end = await refusal(
    (async () => {
      for (;;) await listener.next();
    })(),
  );
  assert.equal(end.code, "canceled");
});

test("a listener listens for longer than a call may take, until it has enough", { timeout: 60_000 }, async () => {
  let signal: AbortSignal | null | undefined;
  const { tokens } = createAuthClient({
    baseUrl: service.url,
    mode: "bearer",
    timeoutMs: 500,
    fetch: (input, init) => {
      signal = init?.signal;
      return fetch(input, init);
    },
  });
  let heartbeats = 0;
  for await (const { event } of tokens.watchRevocations({}, { headers })) {
    if (event.case === "heartbeat") heartbeats += 1;
    if (heartbeats === 2) break;
  }
  while (signal?.aborted === false) await new Promise((resolve) => setTimeout(resolve, 5));
});

test("a listener is told to call again when the service stops, and its stream is over", {
  timeout: 60_000,
}, async () => {
  const other = await Service.start();
  try {
    const authorization = `Bearer ${await createBackend(other)}`;
    const { tokens } = createAuthClient({ baseUrl: other.url, mode: "bearer" });
    const events: (string | undefined)[] = [];
    for await (const { event } of tokens.watchRevocations({}, { headers: { authorization } })) {
      events.push(event.case);
      if (event.case === "upTo") other.stop();
    }
    assert.equal(events.at(-1), "goAway");
  } finally {
    await other.remove();
  }
});

test("without the key of a service nothing is told but the public keys", async () => {
  const tokens = open();
  const { keys } = await tokens.listPublicKeys({});
  assert.match(keys[0]?.key ?? "", /^k4\.public\./);
  const givenUp = await refusal(tokens.listPublicKeys({}, { signal: AbortSignal.abort() }));
  assert.equal(givenUp.code, "canceled");
  const none = await refusal(tokens.verifyToken({ token: "x" }));
  assert.deepEqual([none.code, none.reason], ["unauthenticated", "NOT_SIGNED_IN"]);
  const wrong = { headers: { authorization: `${headers.authorization}x` } };
  const refused = await refusal(tokens.batchVerifyTokens({ tokens: ["x"] }, wrong));
  assert.deepEqual([refused.code, refused.reason], ["unauthenticated", "TOKEN_INVALID"]);
  const listener = tokens.watchRevocations({}, wrong)[Symbol.asyncIterator]();
  const deaf = await refusal(listener.next());
  assert.deepEqual([deaf.code, deaf.reason], ["unauthenticated", "TOKEN_INVALID"]);
});
