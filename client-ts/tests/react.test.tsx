/** On a server nobody is signed in; what a browser shows is in browser.test.ts. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type AuthClient, createAuthClient } from "countersign";
import { useSession, useUser } from "countersign/react";
import { renderToString } from "react-dom/server";
import { createStorage } from "./support/people.js";

function Greeting({ client }: { readonly client: AuthClient }) {
  return `${useSession(client)} ${useUser(client)?.displayName ?? "nobody"}`;
}

test("a server renders what a page hydrates from, whatever the client knows", () => {
  const storage = createStorage(new Map([["countersign /", JSON.stringify({ session: "1", turn: 0 })]]));
  const client = createAuthClient({ baseUrl: "/", mode: "cookie", storage });
  assert.equal(client.session.state, "signed-in");
  assert.equal(renderToString(<Greeting client={client} />), "signed-out nobody");
});
