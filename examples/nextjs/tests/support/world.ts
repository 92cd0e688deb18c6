/** The real service, the built app before it, and one clock for both. */

import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Clock } from "./clock.js";
import type { Mail } from "./mail.js";
import { freePort, Running } from "./running.js";
import type { Web } from "./web.js";

const APP = fileURLToPath(new URL("../..", import.meta.url));
const BINARY = process.env["COUNTERSIGN_BIN"] ?? join(APP, "../../target/debug/countersign");

export type Mode = "server" | "rewrite" | "cross-site" | "bearer";

export interface WorldOptions {
  readonly mode?: Mode;
  /** How many processes serve the app. */
  readonly apps?: number;
  /** Settings of the service beside the usual ones. */
  readonly service?: Readonly<Record<string, string>>;
  /** The server that takes the service's letters. */
  readonly mail?: Mail;
  /** Settings of the app beside the usual ones. */
  readonly app?: Readonly<Record<string, string>>;
  /** Whether the app is served as if somebody had deleted its `proxy.ts`. */
  readonly withoutProxy?: boolean;
}

export class World {
  readonly clock = new Clock();
  readonly #options: WorldOptions;
  readonly #servicePort: number;
  readonly #appPorts: readonly number[];
  #data = "";
  #folder = APP;
  #service: Running | undefined;
  #apps: Running[] = [];

  private constructor(options: WorldOptions, [servicePort = 0, ...appPorts]: readonly number[]) {
    this.#options = options;
    this.#servicePort = servicePort;
    this.#appPorts = appPorts;
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    return World.#start(options, await Promise.all(Array.from({ length: 1 + (options.apps ?? 1) }, freePort)));
  }

  static async #start(options: WorldOptions, ports: readonly number[]): Promise<World> {
    const world = new World(options, ports);
    world.#data = await mkdtemp(join(tmpdir(), "countersign-next-"));
    if (options.withoutProxy === true) world.#folder = await copyWithoutProxy(join(world.#data, "app"));
    await world.resumeService();
    world.#apps = await Promise.all(world.#appPorts.map((port) => world.#startApp(port)));
    return world;
  }

  /** In the mode "cross-site", with somebody between browsers and the service. */
  static async startBehind(
    between: (service: string) => Promise<Web>,
  ): Promise<{ world: World; stop: () => Promise<void> }> {
    const ports = await Promise.all([freePort(), freePort()]);
    const web = await between(`http://127.0.0.1:${ports[0]}`);
    const app = { COUNTERSIGN_PUBLIC_URL: `http://127.0.0.1:${web.port}` };
    const world = await World.#start({ mode: "cross-site", app }, ports);
    return { world, stop: async () => void (await Promise.all([world.remove(), web.stop()])) };
  }

  /** The app as browsers reach it. */
  get url(): string {
    return `http://localhost:${this.#appPorts[0]}`;
  }

  /** All processes of the app. */
  get urls(): readonly string[] {
    return this.#appPorts.map((port) => `http://localhost:${port}`);
  }

  /** The service, on another site than the app. */
  get serviceUrl(): string {
    return `http://127.0.0.1:${this.#servicePort}`;
  }

  /** How often the service has answered this RPC. */
  count(rpc: string): number {
    return this.calls(rpc).length;
  }

  /** What the service has logged of the calls of this RPC. */
  calls(rpc: string): readonly string[] {
    // What has no code is no call: a browser asked whether it may make one.
    const isCall = (line: string) =>
      line.includes(`Service/${rpc}"`) && /answered.*\bcode\b|\bcode\b.*answered/.test(line);
    return (this.#service?.said ?? []).filter(isCall);
  }

  /** What the app has logged. */
  get appLog(): readonly string[] {
    return this.#apps.flatMap(({ said }) => said);
  }

  /** Starts the service again, on the same port and data. */
  async resumeService(): Promise<void> {
    const listed = this.#options.mode === "cross-site" || this.#options.mode === "bearer" ? this.urls.join(",") : "";
    this.#service = await Running.start({
      command: BINARY,
      args: ["serve", "--listen", `127.0.0.1:${this.#servicePort}`, "--data-dir", this.#data],
      env: {
        COUNTERSIGN_SERVER__PUBLIC_URL: this.serviceUrl,
        COUNTERSIGN_PASSWORDS__MEMORY_KIB: "32",
        COUNTERSIGN_PASSWORDS__ITERATIONS: "1",
        // Where the calls that only ask are told.
        COUNTERSIGN_LOG__LEVEL: "debug",
        COUNTERSIGN_BROWSER__CROSS_SITE_ORIGINS: listed,
        ...this.#options.mail?.settings(this.url),
        ...this.#options.service,
        ...this.clock.env,
      },
      ready: /listening on /,
    });
  }

  async killService(): Promise<void> {
    await this.#service?.stop();
  }

  async remove(): Promise<void> {
    await Promise.all([...this.#apps, this.#service].map((running) => running?.stop()));
    await rm(this.#data, { recursive: true, force: true });
    this.clock.remove();
  }

  #startApp(port: number): Promise<Running> {
    return Running.start({
      command: process.execPath,
      args: [join(APP, "node_modules/next/dist/bin/next"), "start", "--port", String(port)],
      cwd: this.#folder,
      env: {
        NODE_ENV: "production",
        NEXT_TELEMETRY_DISABLED: "1",
        AUTH_MODE: this.#options.mode ?? "server",
        COUNTERSIGN_URL: this.serviceUrl,
        ...this.#options.app,
        ...this.clock.env,
      },
      ready: /Ready in/,
    });
  }
}

/** The built app, with nothing before its pages. */
async function copyWithoutProxy(folder: string): Promise<string> {
  await cp(join(APP, ".next"), join(folder, ".next"), {
    recursive: true,
    filter: (path) => !path.endsWith(".next/cache"),
  });
  await cp(join(APP, "next.config.ts"), join(folder, "next.config.ts"));
  await symlink(join(APP, "node_modules"), join(folder, "node_modules"));
  const manifest = join(folder, ".next/server/functions-config-manifest.json");
  const { functions, ...rest } = JSON.parse(await readFile(manifest, "utf8")) as { functions: Record<string, unknown> };
  if (!("/_middleware" in functions)) throw new Error("Next.js keeps its proxy elsewhere by now");
  delete functions["/_middleware"];
  await writeFile(manifest, JSON.stringify({ ...rest, functions }));
  return folder;
}
