/** A real browser: cookies, tabs, locks and CORS are its own. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { AuthClientOptions } from "countersign";
import type { Page, Request } from "playwright-core";
import { Browser, Site } from "./support/browser.js";
import { SERVING } from "./support/health.js";
import type { TestPage } from "./support/page.js";
import { address, PASSWORD } from "./support/people.js";
import { Service } from "./support/service.js";
import { createGate } from "./support/waiting.js";

declare const page: TestPage;

const ROUNDS = Number(process.env["COUNTERSIGN_ROUNDS"] ?? 10);
const TOKEN = /v4\.public\.|cs_rt_/;

const worlds = [
  { name: "on one site", host: "localhost", setting: "SAME_SITE", blocks: true },
  { name: "on different sites, whose cookies are blocked", host: "127.0.0.1", setting: "CROSS_SITE", blocks: true },
  { name: "on different sites, whose cookies are let pass", host: "127.0.0.1", setting: "CROSS_SITE", blocks: false },
] as const;

for (const { name, host, setting, blocks } of worlds) {
  describe(`page and service ${name}`, () => {
    let site: Site;
    let service: Service;
    let browser: Browser;
    let baseUrl: string;
    before(async () => {
      site = await Site.start();
      service = await Service.startWithClock({
        [`COUNTERSIGN_BROWSER__${setting}_ORIGINS`]: site.origin,
        ...otherOrigins(setting),
      });
      browser = await Browser.start(blocks);
      baseUrl = service.url.replace("127.0.0.1", host);
    });
    after(async () => {
      await browser?.stop();
      await service?.remove();
      await site?.stop();
    });

    const open = async (options: Partial<AuthClientOptions> = {}): Promise<Page> => {
      const tab = await browser.tab(site.origin);
      await tab.evaluate((options) => void page.open(options), {
        baseUrl,
        mode: "cookie",
        ...options,
      } as AuthClientOptions);
      return tab;
    };

    test("a person signs up, signs in, stays through a reload and an expiry, and signs out", async () => {
      const tab = await open();
      await signIn(tab);
      assert.equal(await tab.evaluate(async () => (await page.client.auth.whoAmI({})).user?.displayName), "Ada");
      const bodies = await tab.evaluate(() => page.bodies);

      await tab.reload();
      const state = await tab.evaluate((options) => page.open(options).session.state, {
        baseUrl,
        mode: "cookie",
      } as AuthClientOptions);
      assert.equal(state, "signed-in");
      await service.expireTokens();
      assert.equal(await tab.evaluate(async () => (await page.client.auth.whoAmI({})).user?.displayName), "Ada");

      assert.equal(await tab.evaluate(() => document.cookie), "");
      assert.doesNotMatch(await tab.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage })), TOKEN);
      bodies.push(...(await tab.evaluate(() => page.bodies)));
      assert.equal(bodies.length, 6, "SignUp, Login, WhoAmI; WhoAmI, Refresh, WhoAmI");
      for (const body of bodies) assert.doesNotMatch(body, TOKEN);
      const cookies = await browser.context.cookies();
      assert.equal(cookies.filter(({ value }) => TOKEN.test(value)).length, 2, "the tokens are in cookies");
      assert.ok(cookies.every(({ httpOnly, secure }) => httpOnly && secure));

      await tab.evaluate(() => page.client.session.signOut());
      assert.equal(await tab.evaluate(() => page.client.session.state), "signed-out");
      const left = (await browser.context.cookies()).map(({ name }) => /\w+$/.exec(name)?.[0]);
      assert.deepEqual(left, ["device"], "what opens nothing");
      await tab.close();
    });

    for (const locks of ["with", "without"] as const) {
      test(`two tabs ${locks} locks bear ${ROUNDS} expiries, five calls each`, async () => {
        const options = locks === "with" ? {} : { locks: null };
        const one = await open(options);
        await signIn(one);
        const two = await open(options);
        for (let round = 0; round < ROUNDS; round += 1) {
          await service.expireTokens();
          const names = await Promise.all([one, two].map(fiveCalls));
          assert.deepEqual(names, [Array(5).fill("Ada"), Array(5).fill("Ada")], `round ${round}`);
        }
        for (const tab of [one, two]) assert.equal(await tab.evaluate(() => page.client.session.state), "signed-in");
        // Each expiry costs a tab one refresh at the most. Often the other tab sees that one is done; but a storage may show a
        // change late, so that is not for sure, nor needed.
        const held = await Promise.all([one, two].map((tab) => tab.evaluate(() => page.locksAtRefresh)));
        for (const each of held) assert.ok(each.length <= ROUNDS, `${each.length} refreshes`);
        assert.ok(held.flat().length >= ROUNDS);
        assert.deepEqual(
          new Set(held.flat()),
          new Set([locks === "with" ? 1 : 0]),
          "one at a time where there are locks",
        );
        await Promise.all([one.close(), two.close()]);
      });
    }

    test("a tab hears that another signed in and out", async () => {
      await forget(browser, site);
      const [one, two] = [await open(), await open()];
      const heardIn = two.evaluate(() => page.until("signed-in"));
      await signIn(one);
      await heardIn;
      assert.equal(await two.evaluate(async () => (await page.client.auth.whoAmI({})).user?.displayName), "Ada");
      const heardOut = two.evaluate(() => page.until("signed-out"));
      await one.evaluate(() => page.client.session.signOut());
      await heardOut;
      await Promise.all([one.close(), two.close()]);
    });

    test("who is not signed in sends nothing", async () => {
      await forget(browser, site);
      const tab = await open();
      const sent = count(browser);
      const refused = await tab.evaluate(() => page.refusal(page.client.auth.whoAmI({})));
      assert.equal(refused.reason, "NOT_SIGNED_IN");
      assert.equal(sent.calls(), 0);
      sent.stop();
      await tab.close();
    });

    test("a page reads why it was refused, keeps deadlines and can give up", async () => {
      const tab = await open();
      const weak = await tab.evaluate(() =>
        page.refusal(page.client.session.signUp({ email: "ada@example.com", password: "short" })),
      );
      assert.equal(weak.reason, "WEAK_PASSWORD");
      assert.deepEqual(
        weak.fields.map(({ field }) => field),
        ["password"],
      );
      const bad = await tab.evaluate(() =>
        page.refusal(page.client.session.signIn({ email: "ada@example.com", password: "correct horse battery" })),
      );
      assert.deepEqual(bad, { code: "unauthenticated", reason: "BAD_CREDENTIALS", fields: [], hasRequestId: true });

      await signIn(tab);
      // Calls that are sent and never answered.
      await tab.route("**/WhoAmI", () => undefined);
      const late = await tab.evaluate(() => page.refusal(page.client.auth.whoAmI({}, { timeoutMs: 50 })));
      assert.equal(late.code, "deadline_exceeded");
      const given = await tab.evaluate(() => {
        const controller = new AbortController();
        const refusal = page.refusal(page.client.auth.whoAmI({}, { signal: controller.signal }));
        controller.abort();
        return refusal;
      });
      assert.equal(given.code, "canceled");
      assert.equal(await tab.evaluate(() => page.client.session.state), "signed-in");
      await tab.close();
    });

    test("two tabs outlast half a minute without the service, and nobody is signed out", async () => {
      const one = await open();
      await signIn(one);
      const tabs = [one, await open()];
      await service.kill();
      await service.advance(30);
      for (const tab of tabs) {
        for (const call of ["whoAmI", "refresh", "signOut"] as const) {
          const refused = await tab.evaluate((call) => {
            const { auth, session } = page.client;
            return page.refusal(call === "whoAmI" ? auth.whoAmI({}) : session[call]());
          }, call);
          assert.equal(refused.code, "unavailable", call);
        }
        assert.equal(await tab.evaluate(() => page.client.session.state), "signed-in");
      }
      await service.resume();
      assert.deepEqual(await Promise.all(tabs.map(fiveCalls)), [Array(5).fill("Ada"), Array(5).fill("Ada")]);
      await service.expireTokens();
      assert.deepEqual(await Promise.all(tabs.map(fiveCalls)), [Array(5).fill("Ada"), Array(5).fill("Ada")]);
      await Promise.all(tabs.map((tab) => tab.close()));
    });

    test("code for calls that could not be loaded is loaded by the next call", async () => {
      const tab = await open();
      await tab.route("**/runtime-*.js", (route) => route.abort(), { times: 1 });
      const refused = await tab.evaluate(() => page.refusal(page.client.session.signIn({ email: "", password: "" })));
      assert.equal(refused.code, "unavailable");
      await signIn(tab);
      await tab.close();
    });

    test("in bearer mode a page needs no cookie, and a reload forgets", async () => {
      await forget(browser, site);
      const tab = await open({ mode: "bearer" });
      await signIn(tab);
      await service.expireTokens();
      assert.equal(await tab.evaluate(async () => (await page.client.auth.whoAmI({})).user?.displayName), "Ada");
      assert.deepEqual(await browser.context.cookies(), []);
      assert.equal(
        await tab.evaluate(() =>
          Object.values({ ...localStorage })
            .join()
            .match(/v4|cs_rt/),
        ),
        null,
      );
      await tab.evaluate(() => page.client.session.signOut());
      await tab.close();
    });

    test("a call that streams brings one answer after the other", async () => {
      const tab = await open();
      await signIn(tab);
      const [serving, notServing] = [createGate(), createGate()];
      await tab.exposeFunction("tell", (status: number) => (status === SERVING ? serving : notServing).open());
      const watched = tab.evaluate(() => page.watch()).catch(() => undefined);
      await serving.opened;
      service.stop();
      await notServing.opened;
      await Promise.all([watched, service.kill()]);
      await service.resume();
      await tab.close();
    });

    test("React shows the session", async () => {
      await forget(browser, site);
      const tab = await open();
      await tab.evaluate(() => page.render());
      await tab.waitForFunction(() => document.body.textContent?.includes("signed-out nobody"));
      await signIn(tab);
      await tab.waitForFunction(() => document.body.textContent?.includes("signed-in Ada"));
      await tab.evaluate(() => page.client.session.signOut());
      await tab.waitForFunction(() => document.body.textContent?.includes("signed-out nobody"));
      await tab.close();
    });
  });
}

/** The service knows the page once, so it must not have the other list's default too. */
function otherOrigins(setting: "SAME_SITE" | "CROSS_SITE"): Record<string, string> {
  return setting === "CROSS_SITE" ? { COUNTERSIGN_BROWSER__SAME_SITE_ORIGINS: "http://localhost:3000" } : {};
}

async function signIn(tab: Page): Promise<void> {
  await tab.evaluate(
    async ([email, password]) => {
      const { session } = page.client;
      await session.signUp({ email, password, displayName: "Ada" });
      await session.signIn({ email, password });
    },
    [address(), PASSWORD] as const,
  );
}

function fiveCalls(tab: Page): Promise<(string | undefined)[]> {
  return tab.evaluate(async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => page.client.auth.whoAmI({})));
    return answers.map(({ user }) => user?.displayName);
  });
}

/** As if nobody had ever been on the page. */
async function forget(browser: Browser, site: Site): Promise<void> {
  await browser.context.clearCookies();
  const tab = await browser.tab(site.origin);
  await tab.evaluate(() => localStorage.clear());
  await tab.close();
}

/** Counts the calls that the browser sends. */
function count(browser: Browser) {
  let calls = 0;
  const hear = (request: Request) => {
    if (request.method() !== "GET") calls += 1;
  };
  browser.context.on("request", hear);
  return {
    calls: () => calls,
    stop: () => void browser.context.off("request", hear),
  };
}
