/** Runs the real binary for the tests: what a client has to bear is what the service does, not what somebody thought it does. */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The page that the service knows. */
export const ORIGIN = "http://localhost:3000";

const BINARY =
  process.env["COUNTERSIGN_BIN"] ?? fileURLToPath(new URL("../../../../target/debug/countersign", import.meta.url));

/** A service with its own data. */
export class Service {
  #process: ChildProcess | undefined;
  #listen = "127.0.0.1:0";
  readonly #data: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #hear: (line: string) => void;
  #clock: string | undefined;
  #ahead = 0;

  private constructor(data: string, env: Readonly<Record<string, string>>, hear: (line: string) => void) {
    this.#data = data;
    this.#env = env;
    this.#hear = hear;
  }

  /** With these settings beside the usual ones; `hear` gets each line of its log. */
  static async start(
    env: Readonly<Record<string, string>> = {},
    hear: (line: string) => void = () => undefined,
  ): Promise<Service> {
    const service = new Service(await mkdtemp(join(tmpdir(), "countersign-client-")), env, hear);
    await service.resume();
    return service;
  }

  /** The same, but the service's clock is ours to advance, so that tokens expire when a test says so. It begins at `moment`. */
  static async startWithClock(env: Readonly<Record<string, string>> = {}, moment?: number): Promise<Service> {
    const clock = join(await mkdtemp(join(tmpdir(), "countersign-clock-")), "clock");
    await writeFile(clock, moment === undefined ? "+0" : clockText(moment));
    const service = await Service.start({
      ...env,
      LD_PRELOAD: faketime(),
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      TZ: "UTC",
    });
    service.#clock = clock;
    return service;
  }

  /** Sets the service's clock ahead, so that every access token there is has expired. */
  expireTokens(): Promise<void> {
    return this.advance(6 * 60);
  }

  /** Sets the service's clock ahead by so many seconds. */
  async advance(seconds: number): Promise<void> {
    this.#ahead += seconds;
    await this.#writeClock(`+${this.#ahead}`);
  }

  /** Stops the service's clock at this moment, in milliseconds since 1970 and whole seconds. */
  setClock(moment: number): Promise<void> {
    return this.#writeClock(clockText(moment));
  }

  async #writeClock(text: string): Promise<void> {
    if (this.#clock === undefined) throw new Error("this service runs by the machine's clock");
    // In one step: the service may read it at any moment.
    await writeFile(`${this.#clock}.next`, text);
    await rename(`${this.#clock}.next`, this.#clock);
  }

  /** Takes a public key for one of the service's own, which is no longer signed with, and starts again; the key's id. */
  async adopt(key: string): Promise<string> {
    await this.kill();
    const script = fileURLToPath(new URL("../../../tests/support/adopt-key.py", import.meta.url));
    const { stdout } = await promisify(execFile)("python3", [script, join(this.#data, "countersign.db"), key]);
    await this.resume();
    return stdout.trim();
  }

  /** Runs another command on the same data, while the service serves: `key rotate`. */
  async run(...command: readonly string[]): Promise<string> {
    const env = { PATH: process.env["PATH"], ...this.#env };
    const { stdout } = await promisify(execFile)(BINARY, [...command, "--data-dir", this.#data], { env });
    return stdout;
  }

  get url(): string {
    return `http://${this.#listen}`;
  }

  get port(): number {
    return Number(this.#listen.slice(this.#listen.lastIndexOf(":") + 1));
  }

  /** The file of its database. */
  get database(): string {
    return join(this.#data, "countersign.db");
  }

  /** Starts again, on the same port and data. */
  async resume(): Promise<void> {
    const child = spawn(BINARY, ["serve", "--listen", this.#listen, "--data-dir", this.#data], {
      env: {
        PATH: process.env["PATH"],
        COUNTERSIGN_PASSWORDS__MEMORY_KIB: "32",
        COUNTERSIGN_PASSWORDS__ITERATIONS: "1",
        COUNTERSIGN_BROWSER__SAME_SITE_ORIGINS: ORIGIN,
        ...this.#env,
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
        this.#hear(line);
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

  /** Asks it to stop, which takes as long as it has open calls. */
  stop(): void {
    this.#process?.kill("SIGTERM");
  }

  /** It takes connections, or the system does for it, and says nothing. */
  async freeze(): Promise<void> {
    this.#process?.kill("SIGSTOP");
    const pid = this.#process?.pid;
    // Its threads may still finish an answer on another processor.
    while (pid !== undefined && !(await standsStill(pid)));
  }

  thaw(): void {
    this.#process?.kill("SIGCONT");
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#data, { recursive: true });
    if (this.#clock !== undefined) await rm(dirname(this.#clock), { recursive: true });
  }
}

/**
 * Whether all threads of a process are stopped, as far as there is a `/proc` to say so: proc(5) has the state after the name, which
 * is in parentheses.
 */
async function standsStill(pid: number): Promise<boolean> {
  const threads = `/proc/${pid}/task`;
  const ids: string[] = await readdir(threads).catch(() => []);
  const told = ids.map((id) => readFile(`${threads}/${id}/stat`, "utf8").catch(() => ""));
  return (await Promise.all(told)).every((line) => line === "" || / \(.*\) T /s.test(line));
}

/** libfaketime, where Debian puts it: the one for threads, as with the other a thread sees the real time now and then. */
function faketime(): string {
  const found = readdirSync("/usr/lib")
    .map((architecture) => `/usr/lib/${architecture}/faketime/libfaketimeMT.so.1`)
    .find((path) => existsSync(path));
  if (found === undefined)
    throw new Error("libfaketime is not installed. On Debian and Ubuntu: sudo apt-get install faketime");
  return found;
}

/** A moment as libfaketime reads it: the clock stands there until it is set again. */
function clockText(moment: number): string {
  return new Date(moment).toISOString().slice(0, 19).replace("T", " ");
}
