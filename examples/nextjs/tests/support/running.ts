/** A program that runs beside the tests, until they end it. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { createInterface } from "node:readline";

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The line that says that it serves. */
  readonly ready: RegExp;
}

export class Running {
  readonly #process: ChildProcess;
  /** All that it has said. */
  readonly said: string[] = [];

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  static async start({ command, args, cwd, env, ready }: Program): Promise<Running> {
    const child = spawn(command, args, {
      cwd,
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const running = new Running(child);
    await new Promise<void>((resolve, reject) => {
      child.on("error", reject);
      child.on("exit", () => reject(new Error(`${command} did not start:\n${running.said.join("\n")}`)));
      // Read to the end, or the program would block on a full pipe.
      for (const input of [child.stdout, child.stderr]) {
        createInterface({ input }).on("line", (line) => {
          running.said.push(line);
          if (ready.test(line)) resolve();
        });
      }
    });
    return running;
  }

  async stop(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, "exit");
    this.#process.kill(signal);
    await gone;
  }
}

/** A port that nobody has: two programs have to know of each other before either runs. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
