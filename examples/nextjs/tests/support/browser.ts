/** A real Chromium, since nothing else decides about cookies as a browser does. */

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Locator, type Page } from "playwright-core";
import { PASSWORD } from "./visitor.js";

const CHROMIUM = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
/** A net against hanging, on a machine that is busy. */
const PATIENCE_MS = 60_000;

/** A browser with nothing in it, which blocks cookies of other sites or does not. */
export class Browser {
  readonly #directory: string;
  readonly context: BrowserContext;

  private constructor(directory: string, context: BrowserContext) {
    this.#directory = directory;
    this.context = context;
  }

  static async start({ blocks = true } = {}): Promise<Browser> {
    if (!existsSync(CHROMIUM))
      throw new Error(`there is no ${CHROMIUM}. On Debian and Ubuntu: sudo apt-get install chromium`);
    const directory = await mkdtemp(join(tmpdir(), "countersign-chromium-"));
    await mkdir(join(directory, "Default"));
    // Chromium itself lets other sites' cookies pass, and Debian's does not: so it is said either way.
    const profile = { block_third_party_cookies: blocks, cookie_controls_mode: blocks ? 1 : 0 };
    await writeFile(join(directory, "Default", "Preferences"), JSON.stringify({ profile }));
    const context = await chromium.launchPersistentContext(directory, {
      executablePath: CHROMIUM,
      headless: true,
      args: FLAGS,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    return new Browser(directory, context);
  }

  /** A tab on this page. */
  async tab(url: string): Promise<Page> {
    const tab = await this.context.newPage();
    await tab.goto(url);
    return tab;
  }

  async stop(): Promise<void> {
    await this.context.close();
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The field of this name on the page that is shown: the router keeps the pages before it, hidden. */
export function field(tab: Page, label: string): Locator {
  return tab.getByLabel(label).filter({ visible: true });
}

/** Makes an account for Ada with the form on this page, and gets to the one to sign in on. */
export async function signUp(tab: Page, email: string): Promise<void> {
  await field(tab, "Name").fill("Ada");
  await field(tab, "Email").fill(email);
  await field(tab, "Password").fill(PASSWORD);
  await tab.getByRole("button", { name: "Create account" }).click();
  await tab.waitForURL(/\/sign-in\?welcome/);
}

/** Signs in with the form on this page. */
export async function signIn(tab: Page, email: string, password = PASSWORD): Promise<void> {
  await field(tab, "Email").fill(email);
  await field(tab, "Password").fill(password);
  await tab.locator("main").getByRole("button", { name: "Sign in" }).click();
}

/** Sends a form from this page as any page can, wherever it leads; the answer's status. */
export async function postForm(
  from: Page,
  url: string,
  entries: Iterable<readonly [string, FormDataEntryValue]>,
): Promise<number> {
  const answered = from.waitForResponse(url);
  await from.evaluate(
    ([action, entries]) => {
      const form = Object.assign(document.createElement("form"), {
        action,
        method: "post",
        enctype: "multipart/form-data",
      });
      for (const [name, value] of entries) form.append(Object.assign(document.createElement("input"), { name, value }));
      document.body.append(form);
      form.submit();
    },
    [url, Array.from(entries, ([name, value]) => [name, String(value)] as const)] as const,
  );
  return (await answered).status();
}
