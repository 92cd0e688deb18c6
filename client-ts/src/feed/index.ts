/** Learns of ended sessions while they end, from the service's feed of revocations: the entry point of servers in Node.js. */

import type { Claims } from "../claims.js";
import { AuthError } from "../errors.js";
import { createLateRpc } from "../late-rpc.js";
import { createTokenCalls } from "../tokens.js";
import { openVerifier, type Verifier, type VerifierOptions } from "../verifier.js";
import { createKnown, type Moment } from "./known.js";
import { listen } from "./listener.js";

export type { Claims } from "../claims.js";
export { AuthError } from "../errors.js";
export type { PublicKey } from "../public-key.js";
export type { Verifier, VerifierOptions, VerifierSettings } from "../verifier.js";

/** How long a question may take. */
const TIMEOUT_MS = 5_000;
/** The service tells us each second that there is nothing new. */
const STALE_AFTER_MS = 5_000;
const ALLOW_MS = 60_000;

/**
 * What becomes of tokens while the feed is not heard.
 *
 * - `"deny"`: they are refused, as unavailable: nobody whose session has ended gets in.
 * - `"introspect"`: the service is asked about each, with `VerifyToken`; if it does not answer, they are refused as unavailable.
 * - `allowForMs`: those that have not expired pass for this long after the feed was last heard; then as `"introspect"`.
 */
export type OnStale = "deny" | "introspect" | { readonly allowForMs: number };

/** How to follow the service's feed of ended sessions. */
export interface FeedOptions {
  /** What `countersign backend create` printed for this service, `cs_bk_…`. */
  readonly backendKey: string;
  /** Where the service answers, if not at the issuer. */
  readonly serviceUrl?: string | undefined;
  /** By default tokens pass for a minute, and are then asked about. */
  readonly onStale?: OnStale | undefined;
  /** How old what is known may be before it counts as stale; 5 seconds by default. Something is heard each second. */
  readonly staleAfterMs?: number | undefined;
  /**
   * Accepts a service at `http://` on another machine. Right only where something else encrypts and authenticates the way, such
   * as a service mesh: whoever is on it can read the key, and sign in as anybody.
   */
  readonly trustPlainHttp?: boolean | undefined;
}

/** A verifier that knows of ended sessions. */
export interface FollowingVerifier extends Verifier {
  /**
   * What the token says, if it counts. Rejects with an `AuthError`: `TOKEN_INVALID`, `TOKEN_EXPIRED`; `SESSION_ENDED`, for which
   * the token's owner has to sign in; or the code `"unavailable"` if that cannot be known now, which is nothing against the token.
   */
  verify(token: string): Promise<Claims>;
  /**
   * How old what was told of ended sessions is, in milliseconds: for a metric, and for a readiness check, since before
   * everything was told once it is `Infinity`.
   */
  revocationsAge(): number;
  /**
   * Calls the listener once, when the session of these claims ends, or at once if it has: for what lasts, such as a WebSocket.
   * What this returns ends that.
   */
  onSessionEnd(claims: Claims, listener: () => void): () => void;
  /** Stops to listen; until then the process does not end by itself. */
  close(): void;
}

/** Makes a verifier that listens from now on. */
export function createFollowingVerifier(options: VerifierOptions & { readonly feed: FeedOptions }): FollowingVerifier {
  const { issuer, audience, feed, fetch, clock = Date.now } = options;
  const { onStale = { allowForMs: ALLOW_MS }, staleAfterMs = STALE_AFTER_MS } = feed;
  const headers = authorization(feed.backendKey);
  const baseUrl = checkedUrl(feed.serviceUrl ?? issuer, feed.trustPlainHttp);
  const tokens = createTokenCalls(createLateRpc({ baseUrl, mode: "bearer", fetch }, TIMEOUT_MS));
  const { verify, keys } = openVerifier(options);
  const known = createKnown();
  const watchers = new Set<() => void>();
  const stop = new AbortController();
  let failure: unknown;
  const now = (): Moment => ({ wall: clock(), steady: performance.now() });

  void listen(
    {
      known,
      now,
      watch: (resumeToken, signal) => tokens.watchRevocations({ resumeToken }, { headers, signal }),
      tellNews() {
        for (const look of [...watchers]) look();
      },
      async tellKeys(by, listed) {
        if (by !== issuer) throw new Error(`the keys are those of ${by}`);
        await keys.take(listed);
      },
      tellFailure(cause) {
        failure = cause;
      },
    },
    stop.signal,
  );

  async function check(claims: Claims, token: string): Promise<void> {
    if (known.hasEnded(claims)) throw sessionEnded();
    const age = known.age(now());
    if (age <= staleAfterMs) return;
    if (onStale === "deny") throw cannotTell(failure);
    if (onStale !== "introspect" && age <= onStale.allowForMs) return;
    const answer = await tokens.verifyToken({ token, audience }, { headers }).catch((cause: unknown) => {
      throw cannotTell(cause);
    });
    // All else that can be wrong with it was looked at here.
    if (answer.status?.active !== true) throw sessionEnded();
  }

  return {
    async verify(token) {
      const claims = await verify(token);
      await check(claims, token);
      return claims;
    },
    revocationsAge: () => known.age(now()),
    onSessionEnd(claims, listener) {
      const look = () => {
        if (!known.hasEnded(claims)) return;
        watchers.delete(look);
        listener();
      };
      watchers.add(look);
      look();
      return () => void watchers.delete(look);
    },
    close: () => stop.abort(),
  };
}

function sessionEnded(): AuthError {
  return new AuthError("unauthenticated", "the session has ended: sign in again", { reason: "SESSION_ENDED" });
}

function cannotTell(cause: unknown): AuthError {
  return new AuthError("unavailable", "whether sessions have ended cannot be known: try again", { cause });
}

/** What fetch would say of another key has the key in it. */
function authorization(backendKey: string): { readonly authorization: string } {
  if (!/^[!-~]+$/.test(backendKey)) throw new TypeError("the backend key cannot stand in a header");
  return { authorization: `Bearer ${backendKey}` };
}

/** An address on whose way nobody can read or write. */
function checkedUrl(url: string, trustPlainHttp = false): string {
  const { protocol, hostname } = new URL(url);
  const isHere = hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
  if (protocol === "https:" || (protocol === "http:" && (trustPlainHttp || isHere))) return url;
  throw new TypeError(`${url} is neither https nor on this machine: see trustPlainHttp`);
}
