/** A real Chromium and a page of its own, since nothing else decides about cookies as a browser does. */

import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type BrowserContext, chromium, type Page } from "playwright-core";

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

/** Serves the page of the tests, with the package in it, on the host names `localhost` and `127.0.0.1`. */
export class Site {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Site> {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL("page.js", import.meta.url))],
      bundle: true,
      splitting: true,
      format: "esm",
      define: { "process.env.NODE_ENV": '"production"' },
      outdir: "/",
      write: false,
    });
    const files = new Map(outputFiles.map(({ path, text }) => [path, text]));
    const server = createServer((request, response) => {
      const script = files.get(request.url ?? "");
      response.setHeader("content-type", script === undefined ? "text/html; charset=utf-8" : "text/javascript");
      response.end(script ?? '<!doctype html><title>page</title><script type="module" src="/page.js"></script>');
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Site(server);
  }

  get origin(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** A browser with nothing in it, which blocks cookies of other sites or does not. */
export class Browser {
  readonly #directory: string;
  readonly context: BrowserContext;

  private constructor(directory: string, context: BrowserContext) {
    this.#directory = directory;
    this.context = context;
  }

  static async start(blocksOtherSites: boolean, flags: readonly string[] = []): Promise<Browser> {
    if (!existsSync(CHROMIUM))
      throw new Error(`there is no ${CHROMIUM}. On Debian and Ubuntu: sudo apt-get install chromium`);
    const directory = await mkdtemp(join(tmpdir(), "countersign-chromium-"));
    await mkdir(join(directory, "Default"));
    // Chromium itself lets other sites' cookies pass, and Debian's does not: so it is said either way.
    const profile = { block_third_party_cookies: blocksOtherSites, cookie_controls_mode: blocksOtherSites ? 1 : 0 };
    await writeFile(join(directory, "Default", "Preferences"), JSON.stringify({ profile }));
    const context = await chromium.launchPersistentContext(directory, {
      executablePath: CHROMIUM,
      headless: true,
      args: [...FLAGS, ...flags],
    });
    return new Browser(directory, context);
  }

  /** A tab on the page, with its script run. */
  async tab(url: string): Promise<Page> {
    const tab = await this.context.newPage();
    await tab.goto(url);
    await tab.waitForFunction("globalThis.page !== undefined");
    return tab;
  }

  async stop(): Promise<void> {
    await this.context.close();
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
