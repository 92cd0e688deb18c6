/** A clock for the service and the app together: tokens expire when a test says so. */

import { existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** More than an access token lives, and far less than a session. */
const EXPIRY_SECONDS = 6 * 60;

export class Clock {
  readonly #file = join(mkdtempSync(join(tmpdir(), "countersign-clock-")), "clock");
  #ahead = 0;

  constructor() {
    writeFileSync(this.#file, "+0");
  }

  /** What a program needs in its environment to run by this clock. */
  get env(): Readonly<Record<string, string>> {
    return {
      LD_PRELOAD: library(),
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }

  /** Sets it ahead, so that every access token there is has expired. */
  expireTokens(): void {
    this.advance(EXPIRY_SECONDS);
  }

  /** Sets it ahead by so many seconds. */
  advance(seconds: number): void {
    this.#ahead += seconds;
    // In one step: the programs may read it at any moment.
    writeFileSync(`${this.#file}.next`, `+${this.#ahead}`);
    renameSync(`${this.#file}.next`, this.#file);
  }

  remove(): void {
    rmSync(dirname(this.#file), { recursive: true });
  }
}

/** libfaketime, where Debian puts it: the one for threads, as with the other a thread sees the real time now and then. */
function library(): string {
  const found = readdirSync("/usr/lib")
    .map((architecture) => `/usr/lib/${architecture}/faketime/libfaketimeMT.so.1`)
    .find((path) => existsSync(path));
  if (found === undefined)
    throw new Error("libfaketime is not installed. On Debian and Ubuntu: sudo apt-get install faketime");
  return found;
}
