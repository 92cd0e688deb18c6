/** Keeps the service's public keys, so that verifying needs no call, and no stranger's token can make us call more often. */

import { AuthError } from "./errors.js";
import { importKey } from "./paseto.js";
import type { PublicKey } from "./public-key.js";

/** As long as the service lets its keys be kept; it publishes a new one for longer than that before it signs with it. */
const FRESH_MS = 300_000;
/** Between two fetches, whatever kids the tokens make up. */
const PAUSE_MS = 10_000;
const FETCH_TIMEOUT_MS = 5_000;

/** Finds the key of this kid; `undefined` if there is none. Rejects if that cannot be known. */
export type FindKey = (kid: string) => Promise<CryptoKey | undefined>;

/** Where keys are looked for. */
export interface KeySet {
  readonly find: FindKey;
  /** Takes keys that the service told of by itself: these and no others, from now on. Given keys stay what they are. */
  take(listed: readonly PublicKey[]): Promise<void>;
}

type Imported = ReadonlyMap<string, { readonly key: CryptoKey; readonly until: number }>;

/** Keys that never change. */
export function fixedKeys(keys: readonly PublicKey[], clock: () => number): KeySet {
  const imported = importAll(keys);
  // Whoever calls first hears of it; until then it is nobody's unhandled rejection.
  imported.catch(() => undefined);
  return {
    find: async (kid) => pick(await imported, kid, clock()),
    take: () => Promise.resolve(),
  };
}

/** The keys at this address. */
export function fetchedKeys(url: string | URL, fetcher: typeof fetch, clock: () => number): KeySet {
  let keys: Imported | undefined;
  let etag: string | null = null;
  let freshSince = 0;
  let askedAt = 0;
  let flight: Promise<void> | undefined;
  let failure: { readonly cause: unknown } | undefined;
  /** How often the service told of keys by itself. */
  let told = 0;

  async function ask(): Promise<void> {
    const toldBefore = told;
    const response = await fetcher(url, {
      headers: { accept: "application/json", ...(etag === null ? {} : { "if-none-match": etag }) },
      // The keys are where we were told to look, and nowhere that somebody else points to.
      redirect: "manual",
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    let answered = keys;
    if (response.status !== 304) {
      if (!response.ok) throw new Error(`the keys were answered with HTTP status ${response.status}`);
      const { keys: listed } = (await response.json()) as { keys: readonly PublicKey[] };
      answered = await importAll(ours(listed));
    }
    // What was told meanwhile is newer.
    if (told === toldBefore) settle(answered, response.headers.get("etag"));
  }

  function settle(imported: Imported | undefined, tag: string | null): void {
    keys = imported;
    etag = tag;
    freshSince = clock();
    failure = undefined;
  }

  function update(): Promise<void> {
    if (flight === undefined) {
      askedAt = clock();
      flight = ask()
        .catch((cause: unknown) => {
          failure = { cause };
        })
        .finally(() => {
          flight = undefined;
        });
    }
    return flight;
  }

  async function find(kid: string): Promise<CryptoKey | undefined> {
    const now = clock();
    if (keys === undefined) {
      await update();
    } else if (!keys.has(kid) || elapsed(freshSince, now) >= FRESH_MS) {
      if (flight !== undefined || elapsed(askedAt, now) >= PAUSE_MS) await update();
    }
    // What is known is good enough while the service does not answer; what is not may be a key that came since.
    if (failure !== undefined && !keys?.has(kid)) {
      throw new AuthError("unavailable", "the keys that verify tokens cannot be fetched", failure);
    }
    return keys && pick(keys, kid, clock());
  }

  return {
    find,
    async take(listed) {
      const imported = await importAll(ours(listed));
      told += 1;
      settle(imported, null);
    },
  };
}

/** A clock that was set back must not make a moment last for hours. */
function elapsed(since: number, now: number): number {
  return now < since ? Number.POSITIVE_INFINITY : now - since;
}

function pick(keys: Imported, kid: string, now: number): CryptoKey | undefined {
  const found = keys.get(kid);
  return found && now < found.until ? found.key : undefined;
}

/** Keys of another version are for tokens that we refuse anyway. */
function ours(listed: readonly PublicKey[]): readonly PublicKey[] {
  return listed.filter(({ key }) => key.startsWith("k4."));
}

async function importAll(keys: readonly PublicKey[]): Promise<Imported> {
  const entries = keys.map(async ({ kid, key, not_after }) => {
    const until = not_after == null ? Number.POSITIVE_INFINITY : Date.parse(not_after);
    return [kid, { key: await importKey(key), until }] as const;
  });
  return new Map(await Promise.all(entries));
}
