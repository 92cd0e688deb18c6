/** What `countersign/next/proxy` hands on, seen from within: Next.js keeps it to itself. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createAuthProxy } from "countersign/next/proxy";
import { NextRequest } from "next/server.js";

// Nobody is there: what follows is decided without a call.
const proxy = createAuthProxy({ serviceUrl: "http://127.0.0.1:9", protect: ["/me"] });

test("a header that gets past proxies is not handed on, and all else is", async () => {
  const headers = { "x-middleware-subrequest": "proxy:proxy:proxy", "x-other": "1", cookie: "theme=dark" };
  const answer = await proxy(new NextRequest("http://localhost:3000/", { headers }));
  assert.equal(answer.headers.get("x-middleware-next"), "1");
  assert.deepEqual(answer.headers.get("x-middleware-override-headers")?.split(",").sort(), ["cookie", "x-other"]);
  assert.equal(answer.headers.get("x-middleware-request-cookie"), "theme=dark");
  assert.deepEqual([answer.headers.getSetCookie(), answer.headers.get("cache-control")], [[], null]);
});

test("where the app lies under a path, its pages are told by what follows that path", async () => {
  const nextConfig = { basePath: "/app" };
  const answer = await proxy(new NextRequest("http://localhost:3000/app/me?a=1", { nextConfig }));
  assert.equal(answer.status, 307);
  assert.equal(answer.headers.get("location"), "http://localhost:3000/app/sign-in?next=%2Fme%3Fa%3D1");
});

test("a server action is let through: it checks by itself, wherever it is posted to", async () => {
  const init = { method: "POST", headers: { "next-action": "x" } };
  assert.equal((await proxy(new NextRequest("http://localhost:3000/me", init))).headers.get("x-middleware-next"), "1");
});
