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

type Imported = ReadonlyMap<string, { readonly key: CryptoKey; readonly until: number }>;

/** Keys that never change. */
export function fixedKeys(keys: readonly PublicKey[], clock: () => number): FindKey {
  const imported = importAll(keys);
  // Whoever calls first hears of it; until then it is nobody's unhandled rejection.
  imported.catch(() => undefined);
  return async (kid) => pick(await imported, kid, clock());
}

/** The keys at this address. */
export function fetchedKeys(url: string | URL, fetcher: typeof fetch, clock: () => number): FindKey {
  let keys: Imported | undefined;
  let etag: string | null = null;
  let freshSince = 0;
  let askedAt = 0;
  let flight: Promise<void> | undefined;
  let failure: { readonly cause: unknown } | undefined;

  async function ask(): Promise<void> {
    const response = await fetcher(url, {
      headers: { accept: "application/json", ...(etag === null ? {} : { "if-none-match": etag }) },
      // The keys are where we were told to look, and nowhere that somebody else points to.
      redirect: "manual",
      signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
    });
    if (response.status !== 304) {
      if (!response.ok) throw new Error(`the keys were answered with HTTP status ${response.status}`);
      const { keys: listed } = (await response.json()) as { keys: readonly PublicKey[] };
      // Keys of another version are for tokens that we refuse anyway.
      keys = await importAll(listed.filter(({ key }) => key.startsWith("k4.")));
      etag = response.headers.get("etag");
    }
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

  return async (kid) => {
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

async function importAll(keys: readonly PublicKey[]): Promise<Imported> {
  const entries = keys.map(async ({ kid, key, not_after }) => {
    const until = not_after == null ? Number.POSITIVE_INFINITY : Date.parse(not_after);
    return [kid, { key: await importKey(key), until }] as const;
  });
  return new Map(await Promise.all(entries));
}
