/** Where `?next=` may lead. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { safePath } from "countersign/next/proxy";

test("a path of the app's own is taken as it is", () => {
  for (const path of [
    "/",
    "/me",
    "/me?tab=1&q=a%20b#top",
    "/a/b/",
    "/%2F%2Fevil.example",
    "/?next=https://evil.example",
    "/@evil.example",
  ]) {
    assert.equal(safePath(path), path);
  }
  assert.equal(safePath("/a/../me"), "/me");
});

test("everything else leads to the fallback", () => {
  const elsewhere = [
    "https://evil.example",
    "HTTPS://evil.example/me",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/me\\..\\evil",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " /me",
    "/\u0000me",
    "/me\u007f",
    "/\u0085/evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/a/..//evil.example",
    "/%2e%2e//evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "me",
    "?next=/me",
    "#me",
    "",
    `/${"a".repeat(2048)}`,
  ];
  for (const next of elsewhere) assert.equal(safePath(next, "/home"), "/home", JSON.stringify(next));
  for (const next of [undefined, null, 1, ["/me"], { toString: () => "/me" }]) assert.equal(safePath(next), "/");
});

test("what is taken stays on this site, however it is read", () => {
  const pieces = [
    "/",
    "//",
    "\\",
    ".",
    "..",
    "%2f",
    "%5c",
    "@",
    ":",
    "?",
    "#",
    "evil.example",
    "\t",
    "\r",
    " ",
    "http:",
  ];
  for (const one of pieces) {
    for (const two of pieces) {
      for (const three of pieces) {
        const taken = safePath(`/${one}${two}${three}`);
        assert.equal(new URL(taken, "https://app.example/sign-in").origin, "https://app.example", taken);
        assert.equal(new URL(safePath(taken), "https://app.example").origin, "https://app.example");
      }
    }
  }
});
