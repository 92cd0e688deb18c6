/** Listens to the feed, and comes back whenever the line breaks, never all at once with the others. */

import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { AuthError } from "../errors.js";
import type {
  PublicKeySet,
  RevocationBatch,
  WatchRevocationsResponse,
} from "../gen/countersign/v1/token_service_pb.js";
import type { PublicKey } from "../public-key.js";
import { createLine, type Known, type Moment } from "./known.js";

const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** The service says something each second. Who hears nothing for this long, or what is so old, is on a broken line. */
const SILENCE_MS = 5_000;
/** An entry without an end stays as long as one can be. */
const LONGEST_LIFE_MS = 86_400_000;

/** What the listener needs, and whom it tells. */
export interface Ears {
  readonly known: Known;
  readonly now: () => Moment;
  /** Calls the service, for what happened since. */
  watch(resumeToken: Uint8Array, signal: AbortSignal): AsyncIterable<WatchRevocationsResponse>;
  /** Something was revoked. */
  tellNews(): void;
  /** The keys are these from now on, and no others. */
  tellKeys(issuer: string, keys: readonly PublicKey[]): Promise<void>;
  /** The line broke, or what was told cannot be used, because of this. */
  tellFailure(cause: unknown): void;
}

/** Listens until the signal says to stop. */
export async function listen(ears: Ears, stop: AbortSignal): Promise<void> {
  let place: Uint8Array = new Uint8Array();
  let failures = 0;
  while (!stop.aborted) {
    try {
      for await (const resumeToken of follow(ears, place, stop)) {
        failures = 0;
        place = resumeToken ?? place;
      }
    } catch (cause) {
      failures += 1;
      ears.tellFailure(cause);
    }
    if (!stop.aborted) await pause(failures, stop);
  }
}

/** Follows one call to its end; says of each message from which place on to call again, where it brings one. */
async function* follow(ears: Ears, place: Uint8Array, stop: AbortSignal): AsyncGenerator<Uint8Array | undefined> {
  const sentAt = createLine(ears.now().wall);
  const silence = new AbortController();
  const fall = () => silence.abort(new AuthError("unavailable", "nothing was heard for too long"));
  let timer = setTimeout(fall, SILENCE_MS);
  let isToldEverything = false;
  try {
    for await (const { event, serverTime, revocationsAge } of ears.watch(
      place,
      AbortSignal.any([stop, silence.signal]),
    )) {
      clearTimeout(timer);
      timer = setTimeout(fall, SILENCE_MS);
      const now = ears.now();
      if (event.case === "goAway") return;
      if (event.case === "keys") await tellKeys(ears, event.value);
      if (event.case === "revocations") add(ears, event.value);
      if (event.case === "upTo") {
        isToldEverything = true;
        ears.known.forget(now);
      }
      yield event.case === "upTo" ? event.value.resumeToken : undefined;
      if (!isToldEverything || !serverTime || !revocationsAge) continue;
      const sent = sentAt(timestampMs(serverTime), now.wall);
      ears.known.heard(sent - durationMs(revocationsAge), now);
      // The line was stalled, or our clock set forward: on a new one we know better.
      if (now.wall - sent > SILENCE_MS) throw new AuthError("unavailable", "what is heard is old");
    }
  } catch (error) {
    throw silence.signal.aborted ? silence.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

function add({ known, now, tellNews }: Ears, { revocations }: RevocationBatch): void {
  for (const { revoked, expiresAt } of revocations) {
    const until = expiresAt ? timestampMs(expiresAt) : now().wall + LONGEST_LIFE_MS;
    if (revoked.case === "sessionId") known.endSession(uuid(revoked.value), until);
    if (revoked.case === "userEpoch") known.beginEpoch(uuid(revoked.value.userId), Number(revoked.value.epoch), until);
  }
  tellNews();
}

function tellKeys(ears: Ears, { issuer, keys }: PublicKeySet): Promise<void> {
  const listed = keys.map(({ id, key, notAfter }) => ({
    kid: id,
    key,
    not_after: notAfter && new Date(timestampMs(notAfter)).toISOString(),
  }));
  // What cannot be used is no reason not to hear the rest.
  return ears.tellKeys(issuer, listed).catch(ears.tellFailure);
}

/** As claims write it. */
function uuid(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** Longer after each failure, and never the same for two of us: a service that comes back should not be met by all at once. */
function pause(failures: number, stop: AbortSignal): Promise<void> {
  const longest = Math.min(SHORTEST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      stop.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, longest * (0.5 + Math.random() / 2));
    stop.addEventListener("abort", end);
  });
}
