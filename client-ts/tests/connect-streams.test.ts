/** Streams of a Connect server behind the interceptor last no longer than who reads them is let in. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { callerOf, tokenInterceptor } from "countersign/connect-server";
import { createFollowingVerifier, type FollowingVerifier } from "countersign/feed";
import { createVerifier } from "countersign/verify";
import { createBackend } from "./support/backend.js";
import { AUDIENCE, at, createIssuer, ISSUER, NOW } from "./support/issuer.js";
import { signedIn } from "./support/people.js";
import { bearer, connect, outcome, PROTOCOLS, Probe, type Protocol, serve, summary } from "./support/probe.js";
import { Service } from "./support/service.js";
import { createGate } from "./support/waiting.js";

const protocols = Object.keys(PROTOCOLS) as Protocol[];
const issuer = createIssuer();
let now = NOW;
const clock = () => now;
const verifier = createVerifier({ keys: [issuer.listed], issuer: ISSUER, audience: AUDIENCE, clock });

/** Streams of each kind, which say one word and then wait for ever, and what became of their handlers. */
function streaming() {
  const handlers = { begun: 0, given: [] as unknown[] };
  const waiting = async (signal: AbortSignal) => {
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    handlers.given.push(signal.reason);
  };
  const routes = (router: ConnectRouter) =>
    router.service(Probe, {
      async *listen(_, context) {
        handlers.begun += 1;
        yield { text: callerOf(context).sub };
        await waiting(context.signal);
        yield { text: "too late" };
      },
      async tell(messages, context) {
        handlers.begun += 1;
        void (async () => {
          for await (const _ of messages);
        })().catch(() => undefined);
        await waiting(context.signal);
        return { text: "too late" };
      },
      async *talk(messages, context) {
        handlers.begun += 1;
        for await (const { text } of messages) yield { text };
        await waiting(context.signal);
        yield { text: "too late" };
      },
    });
  return { handlers, routes };
}

/** What a stream says, to its end. */
async function all(messages: AsyncIterable<{ text: string }>, begun?: () => void): Promise<string[]> {
  const said: string[] = [];
  try {
    for await (const { text } of messages) {
      said.push(text);
      begun?.();
    }
    return [...said, "end"];
  } catch (error) {
    return [...said, summary(error)];
  }
}

describe("a stream", () => {
  let service: Service;
  let following: FollowingVerifier;
  before(async () => {
    service = await Service.start();
    following = createFollowingVerifier({
      keysUrl: `${service.url}/.well-known/countersign/keys`,
      issuer: "http://localhost:50051",
      audience: AUDIENCE,
      feed: { backendKey: await createBackend(service), serviceUrl: service.url, onStale: "deny" },
    });
    while (following.revocationsAge() > 5_000) await new Promise((resolve) => setTimeout(resolve, 5));
  });
  after(async () => {
    following?.close();
    await service?.remove();
  });

  for (const protocol of protocols) {
    test(`ends with its session, over ${protocol}`, { timeout: 60_000 }, async () => {
      const { handlers, routes } = streaming();
      const { url, close } = await serve(routes, tokenInterceptor(following));
      try {
        const client = connect(url, protocol);
        const [device, other] = [await signedIn(service, "bearer"), await signedIn(service, "bearer")];
        for (const { auth } of [device, other]) await auth.whoAmI({});
        const options = bearer(device.session.credential()?.token ?? "");
        const done = createGate();
        async function* words() {
          yield { text: "hello" };
          await done.opened;
        }
        const begun = createGate();
        const isTalking = createGate();
        const othersBegun = createGate();
        const othersEnd = new AbortController();
        const theirs = client.listen(
          {},
          { ...bearer(other.session.credential()?.token ?? ""), signal: othersEnd.signal },
        );
        const others = (async () => {
          for await (const _ of theirs) othersBegun.open();
        })().catch((error: unknown) => ConnectError.from(error).code);
        const calls = Promise.all([
          all(client.listen({}, options), begun.open),
          all(client.talk(words(), options), isTalking.open),
          outcome(client.tell(words(), options)),
        ]);
        await Promise.all([begun.opened, isTalking.opened, othersBegun.opened]);
        while (handlers.begun < 4) await new Promise((resolve) => setTimeout(resolve, 5));
        await device.session.signOut();
        const acknowledged = performance.now();
        const ended = "Unauthenticated SESSION_ENDED";
        const [listened, talked, told] = await calls;
        const took = performance.now() - acknowledged;
        assert.deepEqual([listened.slice(1), talked, told], [[ended], ["hello", ended], ended]);
        assert.ok(took < 1_000, `${took} ms`);
        done.open();
        while (handlers.given.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
        for (const reason of handlers.given) assert.equal(summary(reason), ended, "handlers learn of it");
        assert.equal(handlers.begun, 4, "the other session's goes on");
        othersEnd.abort();
        assert.equal(await others, Code.Canceled);
        assert.deepEqual(await all(client.listen({}, options)), [ended], "and none begins");
      } finally {
        close();
      }
    });
  }

  test("ends when its token expires, whoever verifies", { timeout: 60_000 }, async () => {
    const { routes } = streaming();
    now = NOW;
    const { url, close } = await serve(routes, tokenInterceptor(verifier, { clock }));
    try {
      const client = connect(url, "gRPC");
      // It is the clock that says when, and a timer that looks at it.
      const nearly = issuer.token({ exp: at(-29) });
      const began = performance.now();
      assert.deepEqual((await all(client.listen({}, bearer(nearly)))).slice(1), ["Unauthenticated TOKEN_EXPIRED"]);
      assert.ok(performance.now() - began >= 990);
    } finally {
      close();
    }
  });

  test("gives nothing more once the clock says so, even if the timer slept", { timeout: 60_000 }, async () => {
    now = NOW;
    let isReleased = false;
    const routes = (router: ConnectRouter) =>
      router.service(Probe, {
        async *listen() {
          try {
            yield { text: "first" };
            now += 330_000;
            yield { text: "second" };
          } finally {
            isReleased = true;
          }
        },
      });
    const { url, close } = await serve(routes, tokenInterceptor(verifier, { clock }));
    try {
      const said = await all(connect(url, "gRPC").listen({}, bearer(issuer.token())));
      assert.deepEqual(said, ["first", "Unauthenticated TOKEN_EXPIRED"]);
      assert.ok(isReleased, "a handler that looks at no signal ends too");
    } finally {
      now = NOW;
      close();
    }
  });

  test("that ends by itself, or whose reader goes away, leaves nothing behind", { timeout: 60_000 }, async () => {
    const watching = new Set<unknown>();
    const counting: FollowingVerifier = {
      ...following,
      onSessionEnd(claims, listener) {
        const stop = following.onSessionEnd(claims, listener);
        watching.add(stop);
        return () => {
          watching.delete(stop);
          stop();
        };
      },
    };
    let left = 0;
    const routes = (router: ConnectRouter) =>
      router.service(Probe, {
        async *listen({ text }, context) {
          yield { text: "one" };
          if (text !== "wait") return;
          await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
          left += 1;
        },
        async *talk() {
          yield { text: "" };
          throw new ConnectError("their own", Code.DataLoss);
        },
      });
    const { url, close } = await serve(routes, tokenInterceptor(counting));
    try {
      const { auth, session } = await signedIn(service, "bearer");
      await auth.whoAmI({});
      const options = bearer(session.credential()?.token ?? "");
      for (const protocol of protocols) {
        const client = connect(url, protocol);
        assert.deepEqual(await all(client.listen({}, options)), ["one", "end"]);
        const failure = client.talk((async function* () {})(), options)[Symbol.asyncIterator]();
        await failure.next();
        const error = await failure.next().catch((error: unknown) => error);
        assert.equal((error as ConnectError).code, Code.DataLoss, "what a handler throws is passed on");
        assert.equal(watching.size, 0, protocol);
        const leaving = new AbortController();
        const reading = all(client.listen({ text: "wait" }, { ...options, signal: leaving.signal }), () =>
          leaving.abort(),
        );
        await reading.catch(() => undefined);
        while (left <= protocols.indexOf(protocol)) await new Promise((resolve) => setTimeout(resolve, 5));
        assert.equal(watching.size, 0, protocol);
      }
    } finally {
      close();
    }
  });
});
