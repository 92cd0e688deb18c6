/** For Connect servers: lets only those calls in whose access token counts, and tells the handlers whose it is. */

import {
  Code,
  ConnectError,
  type ContextKey,
  createContextKey,
  type HandlerContext,
  type Interceptor,
  type StreamRequest,
  type StreamResponse,
  type UnaryResponse,
} from "@connectrpc/connect";
import { type Claims, LEEWAY_MS } from "./claims.js";
import { AuthError, type Reason } from "./errors.js";
import type { FollowingVerifier } from "./feed/index.js";
import { ErrorInfoSchema, RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import type { Verifier } from "./verifier.js";

export type { Claims } from "./claims.js";

const DOMAIN = "countersign";
/** When to come back after something could not be known. */
const RETRY_SECONDS = 1;

/** What a service asks of its callers; by default, to be signed in. */
export interface Demands {
  /** Lets in only those who have all of these. */
  readonly roles?: readonly string[] | undefined;
  /**
   * Lets in only those who proved who they are within this time: for what a session left open must not do. Others are told to
   * sign in again, by `STEP_UP_REQUIRED`.
   */
  readonly maxAgeMs?: number | undefined;
  /** Lets in calls without a token too, unless something else is asked for. A token that does not count is refused all the same. */
  readonly optional?: boolean | undefined;
  /** The time in milliseconds since 1970; `Date.now` by default. */
  readonly clock?: (() => number) | undefined;
}

/** Where handlers find who calls: `context.values.get(claimsKey)`; `undefined` for calls without a token. */
export const claimsKey: ContextKey<Claims | undefined> = /* @__PURE__ */ createContextKey<Claims | undefined>(
  undefined,
  { description: "who calls, by countersign" },
);

/** Who calls; throws `NOT_SIGNED_IN` where that is nobody. */
export function callerOf({ values }: Pick<HandlerContext, "values">): Claims {
  const claims = values.get(claimsKey);
  if (claims === undefined) throw notSignedIn();
  return claims;
}

/**
 * Lets only those calls in that carry `authorization: Bearer <access token>`. Others are refused with the code and the
 * `google.rpc.ErrorInfo` that countersign itself would send.
 *
 * A call that streams ends when its token expires; with a verifier that follows the feed, also when its session ends.
 */
export function tokenInterceptor(verifier: Verifier | FollowingVerifier, demands: Demands = {}): Interceptor {
  const { clock = Date.now } = demands;
  return (next) => async (request) => {
    // What another one said is not for this one to vouch for.
    request.contextValues.delete(claimsKey);
    const token = bearerToken(request.header);
    const claims = token === undefined ? undefined : await verifier.verify(token).catch(refuse);
    admit(claims, demands, clock());
    if (claims === undefined) return next(request);
    request.contextValues.set(claimsKey, claims);
    return request.stream ? untilEnd(verifier, claims, clock, request, next) : next(request);
  };
}

/** `authorization: Bearer …` (RFC 6750 §2.1); the scheme's case does not matter (RFC 9110 §11.1). */
function bearerToken(header: Headers): string | undefined {
  const value = header.get("authorization");
  if (value === null) return undefined;
  const token = /^bearer (.*)$/i.exec(value)?.[1];
  if (token === undefined) throw unauthenticated("TOKEN_INVALID", "the token is not valid");
  return token;
}

/** What signing in again would not give comes first. */
function admit(claims: Claims | undefined, { roles = [], maxAgeMs, optional }: Demands, now: number): void {
  if (claims === undefined) {
    if (optional && roles.length === 0 && maxAgeMs === undefined) return;
    throw notSignedIn();
  }
  const missing = roles.find((role) => !claims.roles.includes(role));
  if (missing !== undefined) {
    throw denied(Code.PermissionDenied, "FORBIDDEN", `this needs the role ${JSON.stringify(missing)}`);
  }
  if (maxAgeMs !== undefined && now - claims.auth_time.getTime() > maxAgeMs) {
    const seconds = String(Math.floor(maxAgeMs / 1000));
    const message = `sign in again: this needs a sign-in of the last ${seconds} seconds`;
    throw denied(Code.PermissionDenied, "STEP_UP_REQUIRED", message, { max_age_seconds: seconds });
  }
}

/** Makes the call, and ends it, with the reason, when its token expires or its session ends. */
async function untilEnd(
  verifier: Verifier | FollowingVerifier,
  claims: Claims,
  clock: () => number,
  request: StreamRequest,
  next: (request: StreamRequest) => Promise<UnaryResponse | StreamResponse>,
): Promise<UnaryResponse | StreamResponse> {
  const over = new AbortController();
  const expiresAt = claims.exp.getTime() + LEEWAY_MS;
  const expire = () => over.abort(unauthenticated("TOKEN_EXPIRED", "the token has expired"));
  const timer = setTimeout(expire, expiresAt - clock());
  const isStillGood = () => {
    // While the machine slept, the timer did too.
    if (clock() >= expiresAt) expire();
    over.signal.throwIfAborted();
  };
  const stop =
    "onSessionEnd" in verifier
      ? verifier.onSessionEnd(claims, () =>
          over.abort(unauthenticated("SESSION_ENDED", "the session has ended: sign in again")),
        )
      : undefined;
  // Aborted in the end, however the call ends.
  request.signal.addEventListener("abort", () => {
    clearTimeout(timer);
    stop?.();
  });
  const response = await before(over.signal, next(request));
  if (!response.stream) throw new ConnectError("a stream was answered without one", Code.Internal);
  return { ...response, message: bounded(response.message, over.signal, isStillGood) };
}

/** The same messages, until the signal says why there are no more. */
async function* bounded<T>(messages: AsyncIterable<T>, over: AbortSignal, isStillGood: () => void): AsyncGenerator<T> {
  const iterator = messages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await before(over, iterator.next());
      if (done) return;
      isStillGood();
      yield value;
    }
  } finally {
    // Not waited for: it may itself wait for something to say, until its signal ends that.
    iterator.return?.().catch(() => undefined);
  }
}

/** The same promise, or the signal's reason once there is one. */
function before<T>(over: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => reject(over.reason);
    if (over.aborted) end();
    over.addEventListener("abort", end, { once: true });
    promise.then(resolve, reject).finally(() => over.removeEventListener("abort", end));
  });
}

function refuse(error: unknown): never {
  if (!(error instanceof AuthError)) throw error;
  const { code, reason, message } = error;
  if (code === "unauthenticated" && reason !== undefined) throw unauthenticated(reason, message);
  if (code !== "unavailable") throw error;
  const denial = denied(Code.Unavailable, "UNAVAILABLE", message);
  denial.details.push({ desc: RetryInfoSchema, value: { retryDelay: { seconds: BigInt(RETRY_SECONDS) } } });
  denial.cause = error;
  throw denial;
}

function notSignedIn(): ConnectError {
  return unauthenticated("NOT_SIGNED_IN", "not signed in: no access token was sent");
}

function unauthenticated(reason: Reason, message: string): ConnectError {
  return denied(Code.Unauthenticated, reason, message);
}

function denied(code: Code, reason: Reason, message: string, metadata: Record<string, string> = {}): ConnectError {
  return new ConnectError(message, code, undefined, [
    { desc: ErrorInfoSchema, value: { reason, domain: DOMAIN, metadata } },
  ]);
}
