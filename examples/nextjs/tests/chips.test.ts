/** Page and service on different sites: what the browser lets cookies do there is decided by one attribute. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { Browser, signIn, signUp } from "./support/browser.js";
import { address } from "./support/visitor.js";
import { Web } from "./support/web.js";
import { World } from "./support/world.js";

const greeting = (tab: Page) => tab.getByRole("heading", { name: "Hello, Ada" });

/** Signs Ada up and in; says whether she is there afterwards. */
async function enter(tab: Page, email: string): Promise<boolean> {
  await signUp(tab, email);
  await signIn(tab, email);
  await tab.waitForURL(/\/me$|\/sign-in\?next=%2Fme$/);
  return greeting(tab)
    .or(tab.locator("main").getByRole("button", { name: "Sign in" }).filter({ visible: true }))
    .first()
    .textContent()
    .then((text) => text === "Hello, Ada");
}

for (const blocks of [true, false]) {
  test(`a browser that ${blocks ? "blocks" : "lets pass"} other sites' cookies keeps a partitioned session, and lets go of all of it`, async () => {
    const [world, browser] = await Promise.all([World.start({ mode: "cross-site" }), Browser.start({ blocks })]);
    try {
      const tab = await browser.tab(`${world.url}/sign-up`);
      assert.ok(await enter(tab, address()));
      await tab.reload();
      await greeting(tab).waitFor();

      const cookies = await browser.context.cookies();
      const { partitionKey } = cookies[0] ?? {};
      assert.match(String(partitionKey), /^http:\/\/localhost/, "they belong to the app's site");
      assert.deepEqual(cookies.map(({ name, domain, partitionKey: key }) => [name, domain, key]).sort(), [
        ["__Host-countersign-x-access", "127.0.0.1", partitionKey],
        ["__Host-countersign-x-device", "127.0.0.1", partitionKey],
        ["__Host-countersign-x-refresh", "127.0.0.1", partitionKey],
      ]);
      // Not sent to the app's own server, nor to the service when it is the page.
      const sent: string[] = [];
      browser.context.on("request", (request) => {
        if (request.isNavigationRequest()) void request.allHeaders().then(({ cookie }) => cookie && sent.push(cookie));
      });
      const other = await browser.tab(`${world.serviceUrl}/healthz`);
      await tab.reload();
      await greeting(tab).waitFor();
      assert.deepEqual(sent, []);
      await other.close();

      await tab.getByRole("button", { name: "Sign out" }).click();
      await tab.getByRole("heading", { name: "Who goes there?" }).waitFor();
      const left = (await browser.context.cookies()).map(({ name }) => name);
      assert.deepEqual(left, ["__Host-countersign-x-device"], "no ghost is left, in this jar or the other");
      await tab.goto(`${world.url}/me`);
      await tab.waitForURL(/\/sign-in\?next=%2Fme$/);
    } finally {
      await Promise.all([browser.stop(), world.remove()]);
    }
  });
}

test("without Partitioned the very same app signs nobody in where other sites' cookies are blocked", async () => {
  const worlds = await World.startBehind((service) => Web.withoutPartitions(service));
  try {
    for (const blocks of [true, false]) {
      const browser = await Browser.start({ blocks });
      try {
        const tab = await browser.tab(`${worlds.world.url}/sign-up`);
        assert.equal(await enter(tab, address()), !blocks, blocks ? "blocked" : "let pass");
      } finally {
        await browser.stop();
      }
    }
  } finally {
    await worlds.stop();
  }
});
