/** Runs the real binary for the tests: what a client has to bear is what the service does, not what somebody thought it does. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The page that the service knows. */
export const ORIGIN = "http://localhost:3000";

const BINARY = process.env["COUNTERSIGN_BIN"] ?? fileURLToPath(new URL("../../../../target/debug/countersign", import.meta.url));

/** A service with its own data. */
export class Service {
  #process: ChildProcess | undefined;
  #listen = "127.0.0.1:0";
  readonly #data: string;

  private constructor(data: string) {
    this.#data = data;
  }

  static async start(): Promise<Service> {
    const service = new Service(await mkdtemp(join(tmpdir(), "countersign-client-")));
    await service.resume();
    return service;
  }

  get url(): string {
    return `http://${this.#listen}`;
  }

  /** Starts again, on the same port and data. */
  async resume(): Promise<void> {
    const child = spawn(BINARY, ["serve", "--listen", this.#listen, "--data-dir", this.#data], {
      env: {
        PATH: process.env["PATH"],
        COUNTERSIGN_PASSWORDS__MEMORY_KIB: "32",
        COUNTERSIGN_PASSWORDS__ITERATIONS: "1",
        COUNTERSIGN_BROWSER__SAME_SITE_ORIGINS: ORIGIN,
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#process = child;
    const said: string[] = [];
    this.#listen = await new Promise<string>((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", () => reject(new Error(`the service did not start:\n${said.join("\n")}`)));
      // Read to the end, or the service would block on a full pipe.
      createInterface({ input: child.stderr }).on("line", (line) => {
        said.push(line);
        const address = /listening on https?:\/\/([^\s"]+)/.exec(line)?.[1];
        if (address !== undefined) resolve(address);
      });
    });
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#data, { recursive: true });
  }
}
