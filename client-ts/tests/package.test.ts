/** What the package says of itself is true. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { type AuthClientOptions, AuthError, createAuthClient, messages, type Reason } from "countersign";

const root = new URL("../../", import.meta.url);

test("the README's example is the one that was compiled", async () => {
  const [readme, example] = await Promise.all(["README.md", "tests/readme-example.ts"].map((path) => readFile(new URL(path, root), "utf8")));
  assert.ok(readme?.includes(`\`\`\`ts\n${example}\`\`\``));
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
  const options = (locks: LockManager, storage: Storage): AuthClientOptions => ({ baseUrl: "/", mode: "cookie", locks, storage });
  assert.equal(typeof createAuthClient, typeof options);
});
