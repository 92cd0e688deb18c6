/** Somebody at the app without a browser: sends what a browser would, and whatever else a test wants. */

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

export const PASSWORD = "correct horse battery staple";

/** A page is long, so that what it lacks is said without it. */
export function assertShows(page: string, pattern: RegExp): void {
  assert.ok(pattern.test(page), `the page does not show ${pattern}`);
}

export function assertHides(page: string, pattern: RegExp): void {
  assert.ok(!pattern.test(page), `the page shows ${pattern}`);
}

/** An address that nobody else has. */
export function address(): string {
  return `${randomUUID()}@example.com`;
}

export class Visitor {
  readonly #url: string;
  readonly cookies = new Map<string, string>();
  /** The lines of the last answer that set cookies. */
  lastSetCookie: readonly string[] = [];

  constructor(url: string) {
    this.#url = url;
  }

  /** Signed up and in, as Ada. */
  static async signedIn(url: string): Promise<Visitor> {
    const visitor = new Visitor(url);
    const email = address();
    await visitor.signUp(email);
    await visitor.signIn(email);
    return visitor;
  }

  /** The same person at another address of the app. */
  at(url: string): Visitor {
    const other = new Visitor(url);
    for (const [name, value] of this.cookies) other.cookies.set(name, value);
    return other;
  }

  /** One request; redirects are answers. */
  async send(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.cookies.size > 0)
      headers.set("cookie", [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; "));
    const answer = await fetch(this.#url + path, { redirect: "manual", ...init, headers });
    this.lastSetCookie = answer.headers.getSetCookie();
    for (const line of this.lastSetCookie) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0(;|$)/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return answer;
  }

  async page(path: string): Promise<string> {
    return (await this.send(path)).text();
  }

  /** The page's form with this button, as a browser has it before the page's script has loaded. */
  async form(path: string, button: string): Promise<FormData> {
    const form = (await this.page(path))
      .split("<form")
      .find((text) => text.split("</form>")[0]?.includes(`>${button}</button>`));
    if (form === undefined) throw new Error(`${path} has no form to ${button}`);
    const data = new FormData();
    for (const [input] of (form.split("</form>")[0] ?? "").matchAll(/<input type="hidden"[^>]*>/g)) {
      const [, name = ""] = /name="([^"]*)"/.exec(input) ?? [];
      const [, value = ""] = /value="([^"]*)"/.exec(input) ?? [];
      data.set(name, value.replaceAll("&quot;", '"').replaceAll("&amp;", "&"));
    }
    return data;
  }

  /** Sends a form of a page. */
  post(path: string, body: FormData, headers: HeadersInit = {}): Promise<Response> {
    return this.send(path, { method: "POST", body, headers: { origin: this.#url, ...headers } });
  }

  async signUp(email: string): Promise<Response> {
    const form = await this.form("/sign-up", "Create account");
    for (const [name, value] of Object.entries({ email, password: PASSWORD, display_name: "Ada" }))
      form.set(name, value);
    return this.post("/sign-up", form);
  }

  async signIn(email: string, headers: HeadersInit = {}): Promise<Response> {
    const form = await this.form("/sign-in", "Sign in");
    for (const [name, value] of Object.entries({ email, password: PASSWORD })) form.set(name, value);
    return this.post("/sign-in", form, headers);
  }

  signOut(headers: HeadersInit = {}): Promise<Response> {
    return this.post("/sign-out", new FormData(), headers);
  }
}
