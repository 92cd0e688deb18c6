/** What was revoked, as far as it was told, and how old that knowledge is. Pure: what was told is only ever added to. */

import type { Claims } from "../claims.js";

/** How long an entry is kept after the last token that it concerns has expired: more than any leeway. */
const KEEP_MS = 60_000;
/** By so much a clock may be set back without everything counting as old. */
const STEP_MS = 1_000;

/** A moment by two clocks, in milliseconds: the one may be set, and the other stands still while the machine sleeps. */
export interface Moment {
  /** Since 1970. */
  readonly wall: number;
  /** Since some moment, by a clock that nobody sets. */
  readonly steady: number;
}

/** What was told. */
export interface Known {
  endSession(session: string, expiresAt: number): void;
  /** Tokens of the user from before `epoch` count no more; of two such the greater holds. */
  beginEpoch(user: string, epoch: number, expiresAt: number): void;
  /** Everything that was revoked before `asOf`, by our wall clock, was told. */
  heard(asOf: number, now: Moment): void;
  hasEnded(claims: Claims): boolean;
  /** How old this is, in milliseconds; for ever old before everything was told once. */
  age(now: Moment): number;
  /** Forgets what concerns no token any more. */
  forget(now: Moment): void;
}

/** Nothing yet. */
export function createKnown(): Known {
  const sessions = new Map<string, number>();
  const epochs = new Map<string, { readonly least: number; readonly expiresAt: number }>();
  let asOf: Moment | undefined;

  function age(now: Moment): number {
    if (asOf === undefined || now.wall < asOf.wall - STEP_MS) return Number.POSITIVE_INFINITY;
    return Math.max(0, now.wall - asOf.wall, now.steady - asOf.steady);
  }

  return {
    endSession(session, expiresAt) {
      sessions.set(session, Math.max(expiresAt, sessions.get(session) ?? expiresAt));
    },
    beginEpoch(user, epoch, expiresAt) {
      const { least, expiresAt: kept } = epochs.get(user) ?? { least: epoch, expiresAt };
      epochs.set(user, { least: Math.max(epoch, least), expiresAt: Math.max(expiresAt, kept) });
    },
    heard(wall, now) {
      const ago = now.wall - wall;
      if (ago < age(now)) asOf = { wall, steady: now.steady - ago };
    },
    hasEnded({ sid, sub, uep }) {
      const epoch = epochs.get(sub);
      return sessions.has(sid) || (epoch !== undefined && uep < epoch.least);
    },
    age,
    forget({ wall }) {
      for (const [session, expiresAt] of sessions) if (wall > expiresAt + KEEP_MS) sessions.delete(session);
      for (const [user, { expiresAt }] of epochs) if (wall > expiresAt + KEEP_MS) epochs.delete(user);
    },
  };
}

/**
 * For one connection: the moment by our wall clock, or one before it, at which the service's clock said `server`. A message
 * that lay in a queue is an old one, whenever it is read, and the service's clock may be another than ours.
 */
export function createLine(calledAt: number): (server: number, now: number) => number {
  /** How far our clock is ahead of the service's, at most. */
  let ahead: number | undefined;
  return (server, now) => {
    // It was sent after we called and before now: so far our clock may be ahead. What arrives fastest knows best.
    ahead = Math.min(ahead ?? calledAt - server, now - server);
    return server + ahead;
  };
}
