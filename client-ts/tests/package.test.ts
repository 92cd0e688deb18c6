/** What the package says of itself is true. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { type AuthClientOptions, AuthError, createAuthClient, messages, type Reason } from "countersign";
import { createElement } from "react";
import { renderToString } from "react-dom/server";

const root = new URL("../../", import.meta.url);

test("the README's examples are the ones that were compiled", async () => {
  const readme = await readFile(new URL("README.md", root), "utf8");
  const shown = [...readme.matchAll(/^```tsx?\n(.*?)^```$/gms)].map(([, text]) => text);
  const names = [
    "readme-example.ts",
    "readme-react.tsx",
    "readme-verify.ts",
    "readme-server.ts",
    "readme-connect.ts",
    "readme-next.tsx",
    "readme-next-proxy.ts",
  ];
  const compiled = await Promise.all(names.map((name) => readFile(new URL(`tests/${name}`, root), "utf8")));
  assert.deepEqual(shown, compiled);
});

test("the README's example runs, and a visitor who is not signed in costs no call", async () => {
  const { signIn } = await import("./readme-example.js");
  const { fetch } = globalThis;
  globalThis.fetch = () => Promise.reject(new TypeError("fetch failed"));
  try {
    await assert.rejects(signIn("ada@example.com", "…"), { name: "AuthError", code: "unavailable", reason: undefined });
  } finally {
    globalThis.fetch = fetch;
  }
});

test("the README's other examples run", async () => {
  const { caller } = await import("./readme-verify.js");
  assert.equal(await caller(new Request("http://localhost/")), undefined);
  assert.equal(await caller(new Request("http://localhost/", { headers: { authorization: "Bearer x" } })), undefined);
  const { interceptors } = await import("./readme-server.js");
  assert.throws(() => interceptors("no key"), TypeError);
  const { transport } = await import("./readme-connect.js");
  assert.equal(typeof transport.unary, "function");
  const { Greeting } = await import("./readme-react.js");
  const client = createAuthClient({ baseUrl: "/", mode: "bearer" });
  assert.equal(renderToString(createElement(Greeting, { client })), "<p>Who are you?</p>");
});

test("there is a message for each reason of the proto file, and for no other", async () => {
  const proto = await readFile(new URL("../proto/countersign/v1/error_reason.proto", root), "utf8");
  const reasons = [...proto.matchAll(/^ {2}ERROR_REASON_(\w+) = [1-9]/gm)].map(([, name]) => name);
  assert.ok(reasons.length > 10);
  assert.deepEqual(Object.keys(messages).sort(), reasons.sort());
});

test("the types say what is wrong", () => {
  const reason: Reason = "TOKEN_EXPIRED";
  // @ts-expect-error This is no reason.
  const none: Reason = "TOKEN_EXPIRD";
  assert.notEqual(String(reason), String(none));
  const error = new AuthError("unavailable", "down");
  // @ts-expect-error This is no code.
  assert.ok(error.code !== "unavailble");
  // The browser's own locks and storages fit.
  const options = (locks: LockManager, storage: Storage): AuthClientOptions => ({
    baseUrl: "/",
    mode: "cookie",
    locks,
    storage,
  });
  assert.equal(typeof createAuthClient, typeof options);
});
