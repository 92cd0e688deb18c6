/** A process of its own that has somebody's tokens: refreshes when it is told to, and says how it went. */

import { createInterface } from "node:readline/promises";
import { createAuthClient } from "countersign";
import { createStorage } from "./people.js";

const [, , baseUrl = "", kept = ""] = process.argv;
const storage = createStorage(new Map([[`countersign ${baseUrl}`, kept]]));
const { auth, session } = createAuthClient({ baseUrl, mode: "bearer", storage });

console.log("ready");
for await (const _ of createInterface({ input: process.stdin })) {
  await session.refresh();
  await auth.whoAmI({});
  console.log(session.state);
  break;
}
