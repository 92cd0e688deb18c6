/** Takes pictures of every page, to be looked at: `npm run screenshots -- FOLDER`. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { Browser, field, signIn, signUp } from "./support/browser.js";
import { Visitor } from "./support/visitor.js";
import { World } from "./support/world.js";

const folder = process.argv[2] ?? "build/screenshots";
const looks = [
  { name: "light", colorScheme: "light", width: 1040, height: 660 },
  { name: "dark", colorScheme: "dark", width: 1040, height: 660 },
  { name: "phone", colorScheme: "light", width: 390, height: 780 },
  { name: "phone-dark", colorScheme: "dark", width: 390, height: 780 },
] as const;

const service = { COUNTERSIGN_SERVER__BEHIND_PROXY: "true", COUNTERSIGN_SERVER__TRUSTED_PROXIES: "127.0.0.0/8" };

await mkdir(folder, { recursive: true });
const [world, browser] = await Promise.all([World.start({ service }), Browser.start()]);
try {
  const tab = await browser.tab(world.url);
  for (const { name, colorScheme, width, height } of looks) {
    await tab.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await tab.setViewportSize({ width, height });
    await pictures(tab, name);
  }
} finally {
  await Promise.all([browser.stop(), world.remove()]);
}

async function pictures(tab: Page, look: string): Promise<void> {
  const picture = (page: string) => tab.screenshot({ path: join(folder, `${page}-${look}.png`) });
  const email = `ada.${look}@example.com`;
  await tab.goto(world.url);
  await tab.getByRole("button", { name: "Who am I?" }).click();
  await tab.getByText("Nobody is signed in.").waitFor();
  await picture("home");
  await tab.goto(`${world.url}/sign-up`);
  await field(tab, "Password").fill("password1");
  await tab.getByRole("button", { name: "Create account" }).click();
  await tab.getByRole("alert").filter({ hasText: "." }).waitFor();
  await picture("sign-up");
  await signUp(tab, email);
  await field(tab, "Email").waitFor();
  await picture("sign-in");
  await signIn(tab, email, "correct horse battery stable");
  await tab.getByRole("alert").filter({ hasText: "wrong" }).waitFor();
  await picture("wrong");
  await signIn(tab, email);
  await tab.getByRole("heading", { name: "Hello, Ada" }).waitFor();
  await picture("me");
  await accountPictures(tab, look);
  await tab.goto(`${world.url}/members`);
  await tab.getByText("Good to see you").waitFor();
  await picture("members");
  world.clock.expireTokens();
  await world.killService();
  await tab.goto(`${world.url}/me`);
  await tab.getByText("You are not signed out.").waitFor();
  await picture("away");
  await world.resumeService();
  await tab.goto(`${world.url}/no/such/page`);
  await tab.getByRole("button", { name: "Sign out" }).waitFor();
  await picture("lost");
  await tab.getByRole("button", { name: "Sign out" }).click();
  await tab.getByRole("heading", { name: "Who goes there?" }).waitFor();
}

async function accountPictures(tab: Page, look: string): Promise<void> {
  const picture = (page: string, fullPage = false) =>
    tab.screenshot({ path: join(folder, `${page}-${look}.png`), fullPage });
  const other = new Visitor(world.url);
  const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1";
  await other.signIn(`ada.${look}@example.com`, { "user-agent": phone, "x-forwarded-for": "203.0.113.7" });
  await tab.goto(`${world.url}/account`);
  await tab.getByRole("heading", { name: "Sessions" }).waitFor();
  await picture("account");
  await picture("account-whole", true);
  world.clock.advance(11 * 60);
  await tab.goto(`${world.url}/account/delete`);
  await tab.getByRole("button", { name: "Delete my account" }).click();
  await field(tab, "Your password").waitFor();
  await picture("delete");
  for (const page of ["forgot-password", "reset-password", "verify-email", "verify-email#token=cs_ot_x"]) {
    await tab.goto(`${world.url}/${page}`);
    await (page.includes("#") ? tab.getByText("Press the button") : tab.locator("main button")).waitFor();
    await picture(page.replace("#token=cs_ot_x", "-link"));
  }
}
