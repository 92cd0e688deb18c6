/** A person's way through the app, in every mode, in a real browser. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { Browser, field, signIn, signUp } from "./support/browser.js";
import { Mail } from "./support/mail.js";
import { address, assertHides, PASSWORD } from "./support/visitor.js";
import { type Mode, World } from "./support/world.js";

const NEW_PASSWORD = "another horse, another battery";
/** A proof is good for ten minutes. */
const AFTER_A_WHILE = 11 * 60;
const TOKEN = /v4\.public|cs_rt_/;

/** What a mode can do, and where it keeps the session. */
const modes: readonly { mode: Mode; rendersHere: boolean; cookies: number; host: string; survivesReload: boolean }[] = [
  { mode: "server", rendersHere: true, cookies: 3, host: "localhost", survivesReload: true },
  { mode: "rewrite", rendersHere: true, cookies: 3, host: "localhost", survivesReload: true },
  { mode: "cross-site", rendersHere: false, cookies: 3, host: "127.0.0.1", survivesReload: true },
  { mode: "bearer", rendersHere: false, cookies: 0, host: "", survivesReload: false },
];

/** A text on the page that is shown. */
function shown(tab: Page, text: string): Locator {
  return tab.getByText(text).filter({ visible: true }).first();
}

/** Resolves when the page has had so many answers of this RPC. */
async function calls(tab: Page, rpc: string, count: number): Promise<void> {
  let answers = 0;
  await tab.waitForEvent("response", (response) => {
    if (response.request().method() === "POST" && response.url().endsWith(`/${rpc}`)) answers += 1;
    return answers === count;
  });
}

for (const { mode, rendersHere, cookies, host, survivesReload } of modes) {
  describe(`mode ${mode}`, () => {
    let world: World;
    let browser: Browser;
    let mail: Mail;
    before(async () => {
      mail = await Mail.start();
      const service = { COUNTERSIGN_ACCOUNTS__REQUIRE_VERIFIED_EMAIL: "false" };
      [world, browser] = await Promise.all([World.start({ mode, mail, service }), Browser.start()]);
    });
    after(async () => {
      await Promise.all([browser?.stop(), world?.remove(), mail?.stop()]);
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
      assert.doesNotMatch(stored, TOKEN);
      const typed = await tab.evaluate(() => [...document.querySelectorAll("input")].map(({ value }) => value));
      assert.ok(!typed.includes(PASSWORD), "the router keeps no form with the password in it");
      const html = await (await browser.context.request.get(`${world.url}/me`)).text();
      assert.equal(html.includes("Ada"), rendersHere, "whether the server renders as the person");
      assertHides(html, TOKEN);

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
      const answered = mode === "server" ? undefined : calls(tab, "WhoAmI", 20);
      await tab.evaluate(
        (times) => {
          const form = document.querySelector<HTMLFormElement>("form.ask");
          for (let time = 0; time < times; time += 1) form?.requestSubmit();
        },
        mode === "server" ? 1 : 20,
      );
      await shown(tab, `You are Ada (${email}).`).waitFor();
      await answered;
      const refreshes = world.count("Refresh") - before;
      // There, browser and proxy may find at the same moment that it has expired: the service gives both the same successor.
      assert.ok(refreshes === 1 || (mode === "rewrite" && refreshes === 2), `${refreshes} refreshes`);

      await tab.getByRole("link", { name: "Members" }).click();
      await shown(tab, "Good to see you, Ada.").waitFor();
      // Where the server renews too, what it loads ahead at this moment could bring new cookies of the ended session.
      if (!rendersHere) world.clock.expireTokens();
      await tab.getByRole("button", { name: "Sign out" }).click();
      await tab.getByRole("heading", { name: "Who goes there?" }).waitFor();
      assert.equal(world.count("Logout"), 1);
      assertHides(await tab.content(), new RegExp(email));
      const left = (await browser.context.cookies()).map(({ name }) => /\w+$/.exec(name)?.[0]);
      assert.deepEqual(left, cookies === 0 ? [] : ["device"], "what opens nothing");
      await tab.getByRole("button", { name: "Who am I?" }).click();
      await shown(tab, "Nobody is signed in.").waitFor();

      await tab.goto(`${world.url}/me`);
      await tab.waitForURL(/\/sign-in\?next=%2Fme$/);
      // Back to the members' page: nothing of it is shown from any memory.
      await tab.evaluate(() => history.go(-2));
      await tab.waitForURL(/\/sign-in\?next=%2Fmembers/);
      assertHides(await tab.content(), /Good to see you/);
      await tab.close();
    });

    test("the account: name, address, password, deletion", async () => {
      const [email, next] = [address(), address()];
      const press = (name: string) => tab.locator("main").getByRole("button", { name, exact: true }).click();
      const tab = await browser.tab(`${world.url}/sign-up`);
      await signUp(tab, email);
      await signIn(tab, email);
      await greeting(tab).waitFor();
      await tab.getByRole("link", { name: "Change your account" }).click();

      await field(tab, "Name").fill("Ada Lovelace");
      await press("Save");
      await shown(tab, "Saved.").waitFor();
      await field(tab, "Present password").fill(PASSWORD);
      await field(tab, "New password").fill(NEW_PASSWORD);
      await press("Change the password");
      await shown(tab, "You have a new password.").waitFor();
      await field(tab, "New address").fill(next);
      await press("Change the address");
      const { link } = await mail.letter(next, "change-email");
      if (survivesReload) {
        await tab.reload();
        await field(tab, "Name").waitFor();
        assert.equal(await field(tab, "Name").inputValue(), "Ada Lovelace");
      }
      assert.equal(await tab.getByText("This device").count(), 1);
      assert.ok(world.count("GetAccount") < 10, "a page asks when there is reason to");

      await tab.goto(link);
      if (!survivesReload) {
        await tab.locator("main").getByRole("link", { name: "Sign in" }).click();
        await signIn(tab, email, NEW_PASSWORD);
      }
      await press("Use this address");
      await shown(tab, `It is ${next}.`).waitFor();
      await tab.getByRole("button", { name: "Sign out" }).click();
      await tab.getByRole("heading", { name: "Who goes there?" }).waitFor();

      await tab.goto(`${world.url}/sign-in?next=%2Faccount`);
      await signIn(tab, next, NEW_PASSWORD);
      await tab.getByRole("link", { name: "Delete your account" }).click();
      await tab.getByRole("button", { name: "Delete my account" }).waitFor();
      world.clock.advance(AFTER_A_WHILE);
      await press("Delete my account");
      await field(tab, "Your password").fill(NEW_PASSWORD);
      await press("Delete my account");
      await shown(tab, "You are signed out, and your account will be deleted.").waitFor();
      await tab.goto(`${world.url}/account`);
      await tab.waitForURL(/\/sign-in\?next=%2Faccount$/);
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
      await shown(tab, "You are not signed out.").waitFor();
      await world.resumeService();
      // Unless the page has come to it by itself.
      const again = tab.getByRole("button", { name: "Try again" });
      const isBack = shown(tab, "Good to see you, Ada.");
      await Promise.race([again.click().catch(() => undefined), isBack.waitFor()]);
      await isBack.waitFor();
      await tab.close();
    });
  });
}
