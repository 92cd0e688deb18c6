/** The account page: what people do with their accounts, in a real browser, with real letters. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { Browser, field, postForm, signIn } from "./support/browser.js";
import { Mail } from "./support/mail.js";
import { address, PASSWORD, Visitor } from "./support/visitor.js";
import { Web } from "./support/web.js";
import { World } from "./support/world.js";

const NEW_PASSWORD = "another horse, another battery";
/** A proof is good for ten minutes. */
const AFTER_A_WHILE = 11 * 60;

let world: World;
let browser: Browser;
let mail: Mail;
before(async () => {
  mail = await Mail.start();
  const service = {
    COUNTERSIGN_ACCOUNTS__REQUIRE_VERIFIED_EMAIL: "false",
    COUNTERSIGN_SERVER__BEHIND_PROXY: "true",
    COUNTERSIGN_SERVER__TRUSTED_PROXIES: "127.0.0.0/8",
  };
  [world, browser] = await Promise.all([World.start({ mail, service }), Browser.start()]);
});
after(async () => {
  await Promise.all([browser?.stop(), world?.remove(), mail?.stop()]);
});

const press = (tab: Page, name: string) => tab.locator("main").getByRole("button", { name, exact: true }).click();
const says = (tab: Page, text: string | RegExp) => tab.locator("main").getByText(text).waitFor();

/** A tab of this browser on the account page of somebody who has just signed in. */
async function account(email: string, password = PASSWORD, where = browser): Promise<Page> {
  const tab = await where.tab(`${world.url}/sign-in?next=%2Faccount`);
  await signIn(tab, email, password);
  await tab.getByRole("heading", { name: "Your account" }).waitFor();
  await tab.getByRole("heading", { name: "Sessions" }).waitFor();
  return tab;
}

async function newcomer(): Promise<string> {
  const email = address();
  await new Visitor(world.url).signUp(email);
  return email;
}

/** Leaves nothing behind for the next test. */
async function leave(tab: Page): Promise<void> {
  await tab.close();
  await browser.context.clearCookies();
}

test("a person sees and changes what they are called and written to in", async () => {
  const tab = await account(await newcomer());
  assert.equal(await field(tab, "Name").inputValue(), "Ada");
  await field(tab, "Name").fill("Ada\u0007");
  await press(tab, "Save");
  await says(tab, "Some of this is not right.");
  assert.equal(await field(tab, "Name").getAttribute("aria-invalid"), "true");
  await field(tab, "Name").fill("Ada Lovelace");
  await field(tab, "Language of letters").selectOption("Deutsch");
  await press(tab, "Save");
  await says(tab, "Saved.");
  for (const look of ["as it was left", "anew"]) {
    assert.equal(await field(tab, "Name").inputValue(), "Ada Lovelace", look);
    assert.equal(await field(tab, "Language of letters").inputValue(), "de", look);
    await tab.reload();
    await field(tab, "Name").waitFor();
  }
  await leave(tab);
});

test("another address is the account's once its own letter's button is pressed", async () => {
  const [email, next] = [await newcomer(), address()];
  const tab = await account(email);
  await field(tab, "New address").fill("nobody");
  await press(tab, "Change the address");
  await says(tab, "Some of this is not right.");
  await field(tab, "New address").fill(next);
  await press(tab, "Change the address");
  await says(tab, "A letter is on its way to the new address.");
  const { link } = await mail.letter(next, "change-email");

  const stranger = await Browser.start();
  try {
    await (await stranger.tab(link)).getByRole("link", { name: "Sign in", exact: true }).last().waitFor();
  } finally {
    await stranger.stop();
  }
  await tab.goto(link);
  // Once its script is there, the address has no secret in it any more.
  await tab.waitForURL(`${world.url}/change-email`);
  assert.equal(world.count("ConfirmEmailChange"), 0);
  await press(tab, "Use this address");
  await says(tab, `It is ${next}.`);
  await tab.goto(link);
  await press(tab, "Use this address");
  await says(tab, "This link or code is not good, or not any more");
  await leave(tab);
  await leave(await account(next));
});

test("sessions are seen, and ended: one, and all the others", async () => {
  const email = await newcomer();
  const others = await Promise.all([Browser.start(), Browser.start()]);
  try {
    const [first, second] = await Promise.all(others.map((other) => account(email, PASSWORD, other)));
    assert.ok(first && second);
    const tab = await account(email);
    const sessions = tab.getByRole("listitem").filter({ hasText: "last used" });
    assert.equal(await sessions.count(), 3);
    assert.equal(await sessions.filter({ hasText: "This device" }).count(), 1);
    assert.equal(await sessions.filter({ hasText: "Chrome on Linux" }).count(), 3);
    assert.equal(await sessions.filter({ hasText: /127\.0\.0\.1|::1/ }).count(), 3);

    // It may have been shown before the others signed in.
    await first.reload();
    const list = first.getByRole("listitem").filter({ hasText: "last used" });
    await list.filter({ hasNotText: "This device" }).getByRole("button").first().click();
    await says(first, "This session is over.");
    assert.equal(await list.count(), 2, "the list is as it is by now");
    await press(first, "End all other sessions");
    await says(first, "One session is over.");
    assert.equal(await list.count(), 1);
    assert.equal(await first.getByRole("button", { name: "End all other sessions" }).count(), 0);
    for (const ended of [second, tab]) {
      await ended.reload();
      await ended.waitForURL(/\/sign-in\?next=%2Faccount$/);
    }
    await leave(tab);
  } finally {
    await Promise.all(others.map((other) => other.stop()));
  }
});

test("a new password keeps this session, and needs the present one", async () => {
  const email = await newcomer();
  const other = await Visitor.signedIn(world.url);
  const tab = await account(email);
  const before = await browser.context.cookies();
  await field(tab, "Present password").fill(NEW_PASSWORD);
  await field(tab, "New password").fill(NEW_PASSWORD);
  await press(tab, "Change the password");
  await says(tab, "This is not your password.");
  await field(tab, "Present password").fill(PASSWORD);
  await field(tab, "New password").fill(NEW_PASSWORD);
  await press(tab, "Change the password");
  await says(tab, "You have a new password.");
  const now = await browser.context.cookies();
  assert.ok(now.every(({ httpOnly, value }) => httpOnly && before.every((cookie) => cookie.value !== value)));
  await tab.reload();
  await tab.getByRole("heading", { name: "Sessions" }).waitFor();
  assert.match(await other.page("/me"), /Hello/);
  await leave(tab);
  await leave(await account(email, NEW_PASSWORD));
});

test("after a while a download asks for the password, and then goes on by itself", async () => {
  const email = await newcomer();
  await (await account(email)).getByRole("button", { name: "Sign out" }).click();
  const tab = await account(email);
  world.clock.advance(AFTER_A_WHILE);
  await tab.reload();
  const before = await browser.context.cookies();
  await press(tab, "Download my data");
  await says(tab, "Please confirm with your password first.");
  await field(tab, "Your password").fill(NEW_PASSWORD);
  await press(tab, "Download my data");
  await says(tab, "This is not your password.");
  await field(tab, "Your password").fill(PASSWORD);
  const [download] = await Promise.all([tab.waitForEvent("download"), press(tab, "Download my data")]);
  assert.equal(download.suggestedFilename(), "my-data.json");
  const data = JSON.parse(await readFile(await download.path(), "utf8")) as { readonly devices: readonly unknown[] };
  assert.match(JSON.stringify(data), new RegExp(email));
  assert.equal(data.devices.length, 1, "two sign-ins with one browser are one device");
  const now = (await browser.context.cookies()).filter(({ value }) => before.every((cookie) => cookie.value !== value));
  assert.deepEqual(now.map(({ name }) => name).sort(), ["__Host-countersign-access", "__Host-countersign-refresh"]);
  world.clock.expireTokens();
  await tab.reload();
  await tab.getByRole("heading", { name: "Sessions" }).waitFor();
  await leave(tab);
});

test("a deleted account signs out everywhere, and signing in keeps it", async () => {
  const email = await newcomer();
  const tab = await account(email);
  world.clock.advance(AFTER_A_WHILE);
  await tab.getByRole("link", { name: "Delete your account" }).click();
  await press(tab, "Delete my account");
  await says(tab, "Please confirm with your password first.");
  await field(tab, "Your password").fill(PASSWORD);
  await press(tab, "Delete my account");
  await says(tab, "You are signed out, and your account will be deleted.");
  assert.deepEqual(
    (await browser.context.cookies()).map(({ name }) => name),
    ["__Host-countersign-device"],
    "which opens nothing",
  );
  await tab.goBack();
  await tab.waitForURL(/\/sign-in/);
  await leave(tab);
  await leave(await account(email));
});

test("no page of anybody else's sends these forms", async () => {
  const web = await Web.page();
  try {
    const visitor = new Visitor(world.url);
    const email = await newcomer();
    await visitor.signIn(email);
    const tab = await account(email);
    const forms = [
      ["/account", "End all other sessions", "RevokeOtherSessions"],
      ["/account", "Save", "UpdateProfile"],
      ["/account/delete", "Delete my account", "DeleteAccount"],
      ["/forgot-password", "Send me a letter", "RequestPasswordReset"],
      ["/verify-email", "Confirm this address", "VerifyEmail"],
    ] as const;
    // Before the first of them has ended what the next would need.
    const read = await Promise.all(forms.map(([path, button]) => visitor.form(path, button)));
    for (const [index, [path, , rpc]] of forms.entries()) {
      const [fields, before] = [read[index] ?? new FormData(), world.count(rpc)];
      for (const host of ["127.0.0.1", "localhost"]) {
        const other = await browser.tab(`http://${host}:${web.port}`);
        const status = await postForm(other, world.url + path, fields);
        // From another site without cookies, so that a guarded page turns it away; from next door with them.
        const isTurnedAway = host === "127.0.0.1" && path.startsWith("/account");
        assert.ok(isTurnedAway ? status === 303 : status >= 400, `${path} from ${host}: ${status}`);
        await other.close();
      }
      assert.equal(world.count(rpc), before, rpc);
      await postForm(tab, world.url + path, fields);
      assert.equal(world.count(rpc), before + 1, `${rpc} from the app's own page`);
    }
  } finally {
    await web.stop();
  }
});
