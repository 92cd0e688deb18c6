/** A person's way through the app, in every mode, in a real browser. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";
import { Browser, field, signIn, signUp } from "./support/browser.js";
import { address } from "./support/visitor.js";
import { type Mode, World } from "./support/world.js";

/** What a mode can do, and where it keeps the session. */
const modes: readonly { mode: Mode; rendersHere: boolean; cookies: number; host: string; survivesReload: boolean }[] = [
  { mode: "server", rendersHere: true, cookies: 3, host: "localhost", survivesReload: true },
  { mode: "rewrite", rendersHere: true, cookies: 3, host: "localhost", survivesReload: true },
  { mode: "cross-site", rendersHere: false, cookies: 3, host: "127.0.0.1", survivesReload: true },
  { mode: "bearer", rendersHere: false, cookies: 0, host: "", survivesReload: false },
];

for (const { mode, rendersHere, cookies, host, survivesReload } of modes) {
  describe(`mode ${mode}`, () => {
    let world: World;
    let browser: Browser;
    before(async () => {
      [world, browser] = await Promise.all([World.start({ mode }), Browser.start()]);
    });
    after(async () => {
      await Promise.all([browser?.stop(), world?.remove()]);
    });

    const greeting = (tab: Page) => tab.getByRole("heading", { name: "Hello, Ada" });

    test("guard, sign-up, sign-in, reload, expiry, sign-out", async () => {
      const email = address();
      const tab = await browser.tab(`${world.url}/me`);
      await tab.waitForURL(/\/sign-in\?next=%2Fme$/);
      await tab.getByRole("link", { name: "Create one" }).click();
      await tab.waitForURL(/\/sign-up\?next=%2Fme$/);
      await signUp(tab, email);

      await signIn(tab, email, "correct horse battery stable");
      const alert = tab.getByRole("alert").filter({ hasText: "The email address or the password is wrong." });
      await alert.waitFor();
      assert.ok(
        await alert.evaluate((box) => box === document.activeElement),
        "it is read out, and next in the tab order",
      );
      assert.equal(await field(tab, "Email").inputValue(), email, "what was written is not lost");

      await signIn(tab, email);
      await greeting(tab).waitFor();
      assert.equal(new URL(tab.url()).pathname, "/me");
      assert.equal(await tab.evaluate(() => document.cookie), "");
      const kept = await browser.context.cookies();
      assert.deepEqual(
        kept.map(({ domain }) => domain),
        Array(cookies).fill(host),
      );
      assert.ok(kept.every(({ name, httpOnly, secure }) => name.startsWith("__Host-") && httpOnly && secure));
      const stored = await tab.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
      assert.doesNotMatch(stored, /v4\.public|cs_rt_/);
      const html = await (await browser.context.request.get(`${world.url}/me`)).text();
      assert.equal(html.includes("Ada"), rendersHere, "whether the server renders as the person");

      await tab.reload();
      if (!survivesReload) {
        await tab.waitForURL(/\/sign-in\?next=%2Fme$/);
        await signIn(tab, email);
      }
      await greeting(tab).waitFor();

      if (rendersHere) {
        world.clock.expireTokens();
        const before = world.count("Refresh");
        const pages = await tab.evaluate(() =>
          Promise.all(Array.from({ length: 20 }, async () => (await (await fetch("/me")).text()).includes("Ada"))),
        );
        assert.deepEqual(pages, Array(20).fill(true));
        assert.equal(world.count("Refresh"), before + 1);
      }
      await tab.getByRole("link", { name: "countersign" }).click();
      await tab.getByRole("button", { name: "Who am I?" }).waitFor();
      world.clock.expireTokens();
      const before = world.count("Refresh");
      await tab.getByRole("button", { name: "Who am I?" }).click();
      await tab.getByText(`You are Ada (${email}).`).waitFor();
      assert.equal(world.count("Refresh"), before + 1);

      await tab.getByRole("link", { name: "Members" }).click();
      await tab.getByText("Good to see you, Ada.").waitFor();
      // Where the server renews too, what it loads ahead at this moment could bring new cookies of the ended session.
      if (!rendersHere) world.clock.expireTokens();
      await tab.getByRole("button", { name: "Sign out" }).click();
      await tab.getByRole("heading", { name: "Who goes there?" }).waitFor();
      assert.equal(world.count("Logout"), 1);
      const left = (await browser.context.cookies()).map(({ name }) => /\w+$/.exec(name)?.[0]);
      assert.deepEqual(left, cookies === 0 ? [] : ["device"], "what opens nothing");
      await tab.getByRole("button", { name: "Who am I?" }).click();
      await tab.getByText("Nobody is signed in.").waitFor();

      await tab.goto(`${world.url}/me`);
      await tab.waitForURL(/\/sign-in\?next=%2Fme$/);
      await tab.goBack();
      await tab.goBack();
      assert.equal(await tab.getByText("Good to see you").count(), 0, "the back button shows nothing of it");
      await tab.close();
    });

    test("nobody is signed out while the service is away", async () => {
      const email = address();
      const tab = await browser.tab(`${world.url}/sign-up`);
      await signUp(tab, email);
      await signIn(tab, email);
      await greeting(tab).waitFor();
      world.clock.expireTokens();
      await world.killService();

      await tab.getByRole("link", { name: "Members" }).click();
      await tab.getByText("You are not signed out.").waitFor();
      await world.resumeService();
      await tab.getByRole("button", { name: "Try again" }).click();
      await tab.getByText("Good to see you, Ada.").waitFor();
      await tab.close();
    });
  });
}
