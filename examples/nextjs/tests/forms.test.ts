/** The forms for people who see, who hear, and who use a keyboard. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { Browser, field, signUp } from "./support/browser.js";
import { address, PASSWORD } from "./support/visitor.js";
import { World } from "./support/world.js";

let world: World;
let browser: Browser;
before(async () => {
  [world, browser] = await Promise.all([World.start(), Browser.start()]);
});
after(async () => {
  await Promise.all([browser?.stop(), world?.remove()]);
});

/** What assistive technology says of the element that has the focus. */
function focused(tab: Page): Promise<string> {
  return tab.evaluate(() => {
    const element = document.activeElement as HTMLInputElement | null;
    return element?.labels?.[0]?.textContent ?? element?.textContent ?? "";
  });
}

test("password managers and keyboards know what each field is for", async () => {
  const tab = await browser.tab(`${world.url}/sign-up`);
  const fields = async () =>
    Promise.all(
      (await tab.locator("main input:not([type=hidden]):visible").all()).map(async (input) => [
        await input.getAttribute("type"),
        await input.getAttribute("autocomplete"),
      ]),
    );
  await field(tab, "Email").waitFor();
  assert.deepEqual(await fields(), [
    [null, "name"],
    ["email", "username"],
    ["password", "new-password"],
  ]);
  await tab.goto(`${world.url}/sign-in`);
  await field(tab, "Email").waitFor();
  assert.deepEqual(await fields(), [
    ["email", "username"],
    ["password", "current-password"],
  ]);
  await tab.close();
});

test("what is wrong is said where it is wrong, and what was written stays", async () => {
  const tab = await browser.tab(`${world.url}/sign-up`);
  await field(tab, "Name").fill("Ada");
  await field(tab, "Password").fill("password1");
  await field(tab, "Password").press("Enter");
  await tab.getByRole("alert").filter({ hasText: "Please check the marked fields." }).waitFor();
  assert.match(await focused(tab), /check the marked fields/);
  for (const [label, says] of [
    ["Email", /Email is required\./],
    ["Password", /15 characters or more.*Password must have at least 15 characters\./s],
  ] as const) {
    const input = field(tab, label);
    assert.equal(await input.getAttribute("aria-invalid"), "true");
    const told = await input.evaluate((element) =>
      (element.getAttribute("aria-describedby") ?? "")
        .split(" ")
        .map((id) => document.getElementById(id)?.textContent)
        .join(" "),
    );
    assert.match(told, says);
  }
  assert.equal(await field(tab, "Name").getAttribute("aria-invalid"), null);
  assert.equal(await field(tab, "Name").inputValue(), "Ada");
  assert.equal(await field(tab, "Password").inputValue(), "");
  await tab.close();
});

test("nothing needs a mouse", async () => {
  const email = address();
  const tab = await browser.tab(`${world.url}/sign-up`);
  await signUp(tab, email);
  await tab.reload();
  await field(tab, "Email").waitFor();
  const order: string[] = [];
  for (const keys of ["", "", "", "", "", "", email, PASSWORD]) {
    await tab.keyboard.press("Tab");
    order.push(await focused(tab));
    if (keys !== "") await tab.keyboard.type(keys);
  }
  assert.deepEqual(order, [
    "Skip to the content",
    "countersign",
    "Me",
    "Members",
    "Sign up",
    "Sign in",
    "Email",
    "Password",
  ]);
  await tab.keyboard.press("Tab");
  assert.equal(await focused(tab), "Sign in");
  await tab.keyboard.press("Space");
  await tab.getByRole("heading", { name: "Hello, Ada" }).waitFor();
  await tab.close();
});
