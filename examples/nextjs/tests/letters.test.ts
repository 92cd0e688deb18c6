/** What letters lead to: real letters, from a real mail server, in a real browser. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { Browser, field, signIn, signUp } from "./support/browser.js";
import { Mail } from "./support/mail.js";
import { address, assertShows, PASSWORD, Visitor } from "./support/visitor.js";
import { World } from "./support/world.js";

const NEW_PASSWORD = "another horse, another battery";
const HOUR = 3600;

let world: World;
let browser: Browser;
let mail: Mail;
before(async () => {
  mail = await Mail.start();
  [world, browser] = await Promise.all([World.start({ mail }), Browser.start()]);
});
after(async () => {
  await Promise.all([browser?.stop(), world?.remove(), mail?.stop()]);
});

const press = (tab: Page, name: string) => tab.locator("main").getByRole("button", { name }).click();
const says = (tab: Page, text: string | RegExp) => tab.locator("main").getByText(text).waitFor();
const greeting = (tab: Page) => tab.getByRole("heading", { name: "Hello, Ada" }).waitFor();

/** Signed up, by a visitor without a browser. */
async function newcomer(): Promise<string> {
  const email = address();
  await new Visitor(world.url).signUp(email);
  return email;
}

/** Opens a letter's link, until its secret was taken from the address: before that the page asks for the digits instead. */
async function open(tab: Page, link: string): Promise<void> {
  await tab.goto(link);
  await tab.locator("input[name=token]").waitFor({ state: "attached" });
}

/** Somebody whose address is confirmed. */
async function member(tab: Page): Promise<string> {
  const email = await newcomer();
  await open(tab, (await mail.letter(email, "verify-email")).link);
  await press(tab, "Confirm this address");
  await tab.waitForURL(/\/sign-in\?done=verified$/);
  return email;
}

/** Has a letter sent for a new password. */
async function forget(tab: Page, email: string): Promise<void> {
  await tab.goto(`${world.url}/forgot-password`);
  await field(tab, "Email").fill(email);
  await press(tab, "Send me a letter");
  await says(tab, "If there is such an account, a letter is on its way.");
}

async function reset(tab: Page, password: string): Promise<void> {
  await field(tab, "New password").fill(password);
  await press(tab, "Change the password");
}

test("an address is confirmed by pressing a button, and by nothing before that", async () => {
  const email = address();
  const tab = await browser.tab(`${world.url}/sign-up`);
  await signUp(tab, email);
  const { link } = await mail.letter(email, "verify-email");
  for (const method of ["GET", "HEAD", "GET"]) {
    assert.equal((await new Visitor(world.url).send(link.slice(world.url.length), { method })).status, 200);
  }
  const scanner = await browser.tab(link);
  await scanner.getByRole("button", { name: "Confirm this address" }).waitFor();
  await scanner.close();
  await signIn(tab, email);
  await says(tab, "Please confirm your email address first.");

  await open(tab, link);
  await press(tab, "Confirm this address");
  await says(tab, "Your address is confirmed.");
  await signIn(tab, email);
  await greeting(tab);
  assert.equal(world.count("VerifyEmail"), 1);
  await tab.close();
});

test("a link's secret is in no address that anybody but the page sees, and soon in none", async () => {
  const email = await newcomer();
  const { link } = await mail.letter(email, "verify-email");
  const token = link.split("#token=")[1] ?? "";
  assert.match(token, /^cs_ot_/);
  const tab = await browser.context.newPage();
  const seen: string[] = [];
  tab.on("request", (request) => {
    const { hash, href } = new URL(request.url());
    seen.push(href.replace(hash, ""), JSON.stringify(request.headers()));
  });
  await tab.goto(`${world.url}/verify-email`);
  await field(tab, "Code").waitFor();
  for (const [at, document] of [
    ["the page that is open already", false],
    ["a new one", true],
  ] as const) {
    if (document) await tab.goto("about:blank");
    await open(tab, link);
    assert.equal(tab.url(), `${world.url}/verify-email`, at);
  }
  // What the router makes of an answer does not bring it back: the token is good once, and here it is good for nothing.
  await tab.locator("input[name=token]").evaluate((input: HTMLInputElement) => {
    input.value = `${input.value}x`;
  });
  await press(tab, "Confirm this address");
  await says(tab, "This link or code is not good, or not any more");
  assert.equal(tab.url(), `${world.url}/verify-email`);
  await tab.getByRole("link", { name: "countersign" }).click();
  await tab.getByRole("heading", { name: "Who goes there?" }).waitFor();
  await tab.goBack();
  await tab.getByRole("heading", { name: "Confirm your address" }).waitFor();
  assert.equal(tab.url(), `${world.url}/verify-email`);
  assert.ok(!seen.some((text) => text.includes(token)));
  assert.ok(!world.appLog.some((line) => line.includes(token)));
  await tab.close();
});

test("who has lost the letter gets another when signing in, and types its digits", async () => {
  const email = await newcomer();
  const first = await mail.letter(email, "verify-email");
  const tab = await browser.tab(`${world.url}/sign-in`);
  await signIn(tab, email);
  await press(tab, "Send the letter again");
  await says(tab, "If there is such an account, a letter is on its way.");
  const second = await mail.letter(email, "verify-email", 1);

  await tab.goto(`${world.url}/verify-email`);
  await field(tab, "Email").fill(email);
  await field(tab, "Code").fill(first.code);
  await press(tab, "Confirm this address");
  await says(tab, "This link or code is not good, or not any more");
  assert.equal(await field(tab, "Email").inputValue(), email, "what was written is not lost");
  await field(tab, "Code").fill(`${second.code.slice(0, 4)} ${second.code.slice(4)}`);
  await press(tab, "Confirm this address");
  await says(tab, "Your address is confirmed.");
  await signIn(tab, email);
  await greeting(tab);
  await tab.close();
});

test("a new password by letter ends the old session and the old password", async () => {
  const tab = await browser.tab(world.url);
  const email = await member(tab);
  await signIn(tab, email);
  await greeting(tab);
  const other = await Browser.start();
  try {
    const elsewhere = await other.tab(world.url);
    await forget(elsewhere, email);
    await open(elsewhere, (await mail.letter(email, "reset-password")).link);
    await reset(elsewhere, "password1");
    await says(elsewhere, "This password is too easy to guess.");
    assert.equal(await field(elsewhere, "New password").getAttribute("aria-invalid"), "true");
    await reset(elsewhere, NEW_PASSWORD);
    await says(elsewhere, "You have a new password, and all your sessions are over.");
    await signIn(elsewhere, email);
    await says(elsewhere, "The email address or the password is wrong.");
    await signIn(elsewhere, email, NEW_PASSWORD);
    await greeting(elsewhere);
  } finally {
    await other.stop();
  }
  await tab.reload();
  await tab.waitForURL(/\/sign-in\?next=%2Fme$/);
  await tab.close();
});

test("who asks for a letter is told the same, whoever they ask for", async () => {
  const tab = await browser.tab(world.url);
  for (const email of [await member(tab), address()]) await forget(tab, email);
  await tab.goto(`${world.url}/forgot-password`);
  await field(tab, "Email").fill("nobody");
  await press(tab, "Send me a letter");
  await says(tab, "Some of this is not right.");
  assert.equal(await field(tab, "Email").getAttribute("aria-invalid"), "true");
  await tab.close();
});

test("letters are asked for in every mode", async () => {
  const other = await World.start({ mode: "bearer" });
  try {
    const visitor = new Visitor(other.url);
    const form = await visitor.form("/forgot-password", "Send me a letter");
    form.set("email", address());
    assertShows(await (await visitor.post("/forgot-password", form)).text(), /a letter is on its way/);
    assert.equal(other.count("RequestPasswordReset"), 1);
  } finally {
    await other.remove();
  }
});

test("a link that is used, replaced, old, or cut short is answered in a sentence", async () => {
  const tab = await browser.tab(world.url);
  const email = await member(tab);
  await forget(tab, email);
  const replaced = await mail.letter(email, "reset-password");
  await forget(tab, email);
  const used = await mail.letter(email, "reset-password", 1);
  await open(tab, used.link);
  await reset(tab, NEW_PASSWORD);
  await says(tab, "You have a new password");
  await forget(tab, email);
  const old = await mail.letter(email, "reset-password", 2);
  world.clock.advance(25 * HOUR);
  for (const link of [
    replaced.link,
    used.link,
    old.link,
    old.link.slice(0, -9),
    `${world.url}/reset-password#token=x`,
  ]) {
    await tab.goto("about:blank");
    await open(tab, link);
    await reset(tab, PASSWORD);
    await says(tab, "This link or code is not good, or not any more");
    await field(tab, "Code").waitFor();
    await tab.getByRole("link", { name: "Have one sent" }).waitFor();
  }
  await tab.goto(`${world.url}/sign-in`);
  await signIn(tab, email, NEW_PASSWORD);
  await greeting(tab);
  await tab.close();
});
