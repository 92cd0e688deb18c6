/** A real mail server, and what has come to the people behind it. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));

/** A letter with something to do in it. */
export interface Letter {
  readonly link: string;
  /** The eight digits. */
  readonly code: string;
}

export class Mail {
  readonly #server: ChildProcess;
  readonly #lines: Interface;
  /** Every letter as it came, in the order of arrival. */
  readonly #letters: { readonly to: readonly string[]; readonly text: string }[] = [];
  #port = "";

  private constructor() {
    const [python, script] = [join(ROOT, ".tools/bin/python"), join(ROOT, "tests/smtp-server.py")];
    // It ends when its input does, and so with this process.
    this.#server = spawn(python, [script], { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#server.stdout ?? process.stdin });
    this.#lines.on("line", (line) => this.#hear(line));
  }

  static async start(): Promise<Mail> {
    const mail = new Mail();
    await Promise.race([
      once(mail.#lines, "line"),
      once(mail.#server, "exit").then(() => Promise.reject(new Error("`make tools` installs what the tests call"))),
    ]);
    return mail;
  }

  /** What the service needs to know, for letters that lead to this app. */
  settings(app: string): Readonly<Record<string, string>> {
    return {
      COUNTERSIGN_ACCOUNTS__REQUIRE_VERIFIED_EMAIL: "true",
      COUNTERSIGN_MAIL__TRANSPORT: "smtp",
      COUNTERSIGN_MAIL__FROM: "Example <no-reply@example.com>",
      COUNTERSIGN_MAIL__LINK_BASE: app,
      COUNTERSIGN_MAIL__SMTP_HOST: "127.0.0.1",
      COUNTERSIGN_MAIL__SMTP_PORT: this.#port,
      COUNTERSIGN_MAIL__SMTP_SECURITY: "none",
    };
  }

  /** The letter to this address that leads to this page; with a count, the one that came after so many others. */
  async letter(to: string, page: string, before = 0): Promise<Letter> {
    for (;;) {
      const found = this.#letters.filter((letter) => letter.to.includes(to) && letter.text.includes(`/${page}#token=`));
      const text = found[before]?.text;
      if (text !== undefined) {
        const [link, code] = [/http:\/\/\S+#token=[\w-]+/.exec(text)?.[0], /^\d{8}$/m.exec(text)?.[0]];
        if (link === undefined || code === undefined) throw new Error(`this letter leads nowhere:\n${text}`);
        return { link, code };
      }
      await once(this.#lines, "line");
    }
  }

  async stop(): Promise<void> {
    const gone = once(this.#server, "exit");
    this.#server.stdin?.end();
    await gone;
  }

  #hear(line: string): void {
    if (line.startsWith("port ")) this.#port = line.slice("port ".length);
    if (!line.startsWith("letter ")) return;
    const { to, data } = JSON.parse(line.slice("letter ".length)) as { to: string[]; data: string };
    // Quoted-printable: long lines are folded, and an equals sign is written out.
    const text = data.replaceAll("=\r\n", "").replaceAll("=3D", "=").replaceAll("\r\n", "\n");
    this.#letters.push({ to, text });
  }
}
