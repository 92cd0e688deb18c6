/** Pages of other people: around the app, inside it, and next door on the same site, where the browser adds the cookies. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Frame, Page } from "playwright-core";
import { Browser, postForm, signIn, signUp } from "./support/browser.js";
import { address, assertHides, PASSWORD, Visitor } from "./support/visitor.js";
import { Web } from "./support/web.js";
import { World } from "./support/world.js";

let world: World;
let browser: Browser;
let web: Web;
/** Another site, and a neighbour: to a browser all ports of one host are one site. */
let elsewhere: readonly string[];
before(async () => {
  [world, browser, web] = await Promise.all([World.start(), Browser.start({ blocks: false }), Web.page()]);
  elsewhere = [`http://127.0.0.1:${web.port}`, `http://localhost:${web.port}`];
});
after(async () => {
  await Promise.all([browser?.stop(), world?.remove(), web?.stop()]);
});

async function signedIn(): Promise<Page> {
  const [tab, email] = [await browser.tab(`${world.url}/sign-up`), address()];
  await signUp(tab, email);
  await signIn(tab, email);
  await tab.getByRole("heading", { name: "Hello, Ada" }).waitFor();
  return tab;
}

/** Puts a frame into the page, and waits for what it shows. */
async function frame(tab: Page, src: string, sandbox?: string): Promise<Frame> {
  const element = await tab.evaluateHandle(
    async ([src, sandbox]) => {
      const frame = document.createElement("iframe");
      if (sandbox !== undefined) frame.setAttribute("sandbox", sandbox);
      frame.src = src;
      const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
      document.body.append(frame);
      await loaded;
      return frame;
    },
    [src, sandbox] as const,
  );
  const content = await element.asElement()?.contentFrame();
  assert.ok(content);
  return content;
}

/** All that a page can send to the app unasked, in the name of who looks at it. */
async function attack(from: Page | Frame, email: string): Promise<readonly string[]> {
  return from.evaluate(
    async ([app, email, password]) => {
      const bodies = [
        undefined,
        "",
        new URLSearchParams({ email, password }),
        new FormData(),
        new Blob(["[{}]"], { type: "text/plain" }),
      ];
      const read: string[] = [];
      for (const path of ["/sign-out", "/sign-in", "/me", "/"]) {
        for (const mode of ["no-cors", "cors"] as const) {
          for (const method of ["POST", "GET"]) {
            for (const body of method === "POST" ? bodies : [undefined]) {
              const init = { method, mode, credentials: "include" as const, body: body ?? null };
              const text = await fetch(app + path, init).then(
                (answer) => answer.text(),
                () => "",
              );
              if (text !== "") read.push(`${method} ${path} ${text.slice(0, 80)}`);
            }
          }
        }
        navigator.sendBeacon(app + path, "x");
      }
      // Next.js' own header needs leave to be sent.
      await fetch(`${app}/me`, { method: "POST", credentials: "include", headers: { "next-action": "x" } }).catch(
        () => undefined,
      );
      return read;
    },
    [world.url, email, PASSWORD] as const,
  );
}

test("no page of the app can be put into another page's frame", async () => {
  const member = await Visitor.signedIn(world.url);
  for (const path of ["/", "/sign-in", "/sign-up", "/me", "/members", "/no/such/page", "/icon.svg"]) {
    for (const visitor of [member, new Visitor(world.url)]) {
      const { headers } = await visitor.send(path);
      assert.match(headers.get("content-security-policy") ?? "", /frame-ancestors 'none'/, path);
      assert.equal(headers.get("x-frame-options"), "DENY", path);
      assert.equal(headers.get("x-content-type-options"), "nosniff", path);
    }
  }
  const tab = await signedIn();
  for (const site of elsewhere) {
    await tab.goto(site);
    const framed = await frame(tab, `${world.url}/me`);
    assert.match(framed.url(), /^chrome-error:/);
    assertHides(await framed.content(), /Hello, Ada/);
  }
  await tab.close();
});

test("no other page can act or read in a visitor's name: not around the app, not inside it, not from next door", async () => {
  const tab = await signedIn();
  const before = { login: world.count("Login"), signUp: world.count("SignUp") };
  const email = address();
  for (const site of elsewhere) {
    assert.deepEqual(await attack(await browser.tab(site), email), [], site);
    assert.deepEqual(await attack(await frame(tab, site), email), [], `${site} in a frame`);
    assert.deepEqual(await attack(await frame(tab, site, "allow-scripts"), email), [], `${site} in a sandbox`);
  }
  assert.deepEqual(
    [world.count("Logout"), world.count("Login"), world.count("SignUp")],
    [0, before.login, before.signUp],
  );
  await tab.reload();
  await tab.getByRole("heading", { name: "Hello, Ada" }).waitFor();
  await tab.close();
});

test("a form on another page signs nobody out, and nobody in", async () => {
  const tab = await signedIn();
  const stranger = new Visitor(world.url);
  const [email, fields] = [address(), await stranger.form("/sign-in", "Sign in")];
  await stranger.signUp(email);
  const logins = world.count("Login");
  fields.set("email", email);
  fields.set("password", PASSWORD);
  for (const site of elsewhere) {
    for (const [action, entries] of [
      ["/sign-out", []],
      ["/sign-in", [...fields.entries()]],
    ] as const) {
      const other = await browser.tab(site);
      assert.ok((await postForm(other, world.url + action, entries)) >= 400);
      await other.close();
    }
  }
  assert.deepEqual([world.count("Logout"), world.count("Login")], [0, logins]);
  await tab.reload();
  await tab.getByRole("heading", { name: "Hello, Ada" }).waitFor();
  await tab.close();
});

test("a link that leads elsewhere after the sign-in leads home", async () => {
  const email = address();
  const tab = await browser.tab(`${world.url}/sign-up?next=${encodeURIComponent(elsewhere[0] ?? "")}`);
  await signUp(tab, email);
  await signIn(tab, email);
  await tab.getByRole("heading", { name: "Hello, Ada" }).waitFor();
  assert.equal(tab.url(), `${world.url}/me`);
  await browser.context.clearCookies();
  await tab.goto(`${world.url}/sign-in?next=${encodeURIComponent(`//127.0.0.1:${web.port}/me`)}`);
  await signIn(tab, email);
  await tab.getByRole("heading", { name: "Hello, Ada" }).waitFor();
  assert.equal(tab.url(), `${world.url}/me`);
});
