/** A service, a browser, and in it somebody who is signed in on both listed pages. */

import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import { type RequestOptions, request } from "node:https";
import type { Frame, Response } from "playwright-core";
import { Browser } from "../browser.js";
import { type Contents, contents } from "../database.js";
import { Service } from "../service.js";
import type { Attack } from "./attacks.js";
import { credentials, FORGERIES, login, type Rpc, type Target } from "./forgeries.js";
import { FLAGS, type Hosts } from "./hosts.js";
import { type Outcome, Outcomes } from "./outcomes.js";
import { APP, open, type Place, SERVICE_HOST, SHOP } from "./places.js";
import { byFetch, type FetchPlan } from "./senders.js";

/** What the client of a listed page does. */
const LEGITIMATE: FetchPlan = {
  body: "bytes",
  init: { method: "POST", headers: { "content-type": "application/grpc-web+proto", "x-grpc-web": "1" } },
};

/** What sets one browser apart from another. */
export interface WorldKind {
  readonly blocksOtherSites: boolean;
  readonly version: "HTTP/1.1" | "HTTP/2.0";
}

export class World {
  readonly #outcomes: Outcomes;
  readonly #service: Service;
  readonly #browser: Browser;
  readonly #listed: readonly string[];
  #rows: Contents | undefined;
  /** In which version of HTTP the browser sent what it sent: one of each kind, by method and path. */
  readonly versions = new Map<string, string>();

  private constructor(outcomes: Outcomes, service: Service, browser: Browser, listed: readonly string[]) {
    this.#outcomes = outcomes;
    this.#service = service;
    this.#browser = browser;
    this.#listed = listed;
    browser.context.on("response", (response) => void this.#look(response));
  }

  static async create(hosts: Hosts, { blocksOtherSites, version }: WorldKind): Promise<World> {
    const outcomes = new Outcomes();
    const [app, shop] = [hosts.https(APP), hosts.https(SHOP)];
    const env = {
      COUNTERSIGN_SERVER__TLS_CERTIFICATE: hosts.files.certificate,
      COUNTERSIGN_SERVER__TLS_KEY: hosts.files.key,
      COUNTERSIGN_BROWSER__SAME_SITE_ORIGINS: app,
      COUNTERSIGN_BROWSER__CROSS_SITE_ORIGINS: shop,
      COUNTERSIGN_LOG__FORMAT: "json",
      COUNTERSIGN_LOG__LEVEL: "countersign=debug",
    };
    const service = await Service.start(env, (line) => outcomes.hear(line));
    let browser: Browser | undefined;
    try {
      browser = await Browser.start(blocksOtherSites, version === "HTTP/1.1" ? [...FLAGS, "--disable-http2"] : FLAGS);
      const world = new World(outcomes, service, browser, [app, shop]);
      await world.#signIn();
      world.#rows = await contents(service.database);
      return world;
    } catch (error) {
      await browser?.stop();
      await service.remove();
      throw error;
    }
  }

  async #signIn(): Promise<void> {
    for (const [index, top] of this.#listed.entries()) {
      const frame = await this.open({ name: "", top });
      if (index === 0) {
        await this.call(frame, "SignUp", credentials("victim@example.test"));
        await this.call(frame, "SignUp", credentials("mallory@example.test"));
      }
      assert.equal(await this.call(frame, "Login", login("victim@example.test")), "Ok");
    }
    const cookies = await this.#browser.context.cookies();
    assert.deepEqual(cookies.map(({ sameSite }) => sameSite).sort(), ["Lax", "Lax", "Lax", "None", "None", "None"]);
    await this.closeTabs();
  }

  /** What was in the database when the victim had signed in. */
  get rows(): Contents | undefined {
    return this.#rows;
  }

  get database(): string {
    return this.#service.database;
  }

  open(place: Place): Promise<Frame> {
    return open(this.#browser.context, place);
  }

  /** All tabs but one, without which the browser would end, and all windows. */
  async closeTabs(): Promise<void> {
    await Promise.all(
      this.#browser.context
        .pages()
        .slice(1)
        .map((tab) => tab.close()),
    );
  }

  /** Runs an attack, and waits for what the service says about it. */
  async attack(frame: Frame, { run, rpcs, arrives, name }: Attack): Promise<Outcome[]> {
    await run(
      frame,
      rpcs.map((rpc) => this.#target(rpc)),
    );
    return this.#outcomes.take(rpcs.length * arrives.length, name);
  }

  /** Calls as a listed page does, and says how that ended; a preflight may come first. */
  async call(frame: Frame, rpc: Rpc, body?: string): Promise<string> {
    await frame.evaluate(byFetch, { targets: [this.#target(rpc, body)], plan: LEGITIMATE });
    for (;;) {
      const last = (await this.#outcomes.take(1, rpc)).at(-1);
      if (last !== undefined && last.outcome !== "preflight") return last.outcome;
    }
  }

  /** What the service tells browsers about any answer to this. */
  headers(path: string, init: RequestOptions): Promise<IncomingHttpHeaders> {
    return new Promise((resolve, reject) => {
      const sent = request(
        `https://127.0.0.1:${this.#service.port}${path}`,
        { ...init, rejectUnauthorized: false },
        (answer) => {
          answer.resume();
          resolve({ ...answer.headers, ":status": `${answer.statusCode}` });
        },
      );
      sent.on("error", reject).end();
    });
  }

  /** Where a frame ends up that is to show this path of the service. */
  async framed(top: string, path: string): Promise<string> {
    const frame = await this.open({ name: "", top, inner: { src: this.#address + path } });
    await frame.waitForURL(/^(chrome-error|https):/, { waitUntil: "commit" });
    const url = frame.url();
    await this.closeTabs();
    return url;
  }

  /** Whether a page gets something of the service without asking. */
  async embeds(top: string): Promise<boolean> {
    const frame = await this.open({ name: "", top });
    const embeds = await frame.evaluate(
      (url) =>
        fetch(url, { mode: "no-cors" }).then(
          () => true,
          () => false,
        ),
      `${this.#address}/healthz`,
    );
    await this.closeTabs();
    return embeds;
  }

  async cookies(): Promise<string[]> {
    return (await this.#browser.context.cookies()).map((cookie) => JSON.stringify(cookie)).sort();
  }

  async remove(): Promise<void> {
    await this.#browser.stop();
    await this.#service.remove();
  }

  get #address(): string {
    return `https://${SERVICE_HOST}:${this.#service.port}`;
  }

  #target(rpc: Rpc, body: string = FORGERIES[rpc]): Target {
    return { url: `${this.#address}/countersign.v1.AuthService/${rpc}`, body };
  }

  async #look(response: Response): Promise<void> {
    const kind = `${response.request().method()} ${response.url()}`;
    if (!response.url().startsWith(this.#address) || this.versions.has(kind)) return;
    // There is none where the tab was closed at once.
    const version = await response.httpVersion().catch(() => undefined);
    if (version !== undefined) this.versions.set(kind, version);
  }
}
