/** A service that is let in, as an operator does it. */

import { createAuthClient } from "countersign";
import type { Service } from "./service.js";

/** The key of a service of this name, once countersign knows of it. */
export async function createBackend(service: Service, name = "shop"): Promise<string> {
  const key = /cs_bk_[\w-]+/.exec(await service.run("backend", "create", "--name", name))?.[0] ?? "";
  const { tokens } = createAuthClient({ baseUrl: service.url, mode: "bearer" });
  const headers = { authorization: `Bearer ${key}` };
  const isKnown = () =>
    tokens.verifyToken({ token: "x" }, { headers }).then(
      () => true,
      () => false,
    );
  while (!(await isKnown())) {
    // It hears of it in a moment.
  }
  return key;
}
