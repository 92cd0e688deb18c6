/** Holds what a page shows of the session, so that there is one place to watch and listeners hear of each change once. */

import type { User } from "./gen/countersign/v1/user_pb.js";

/** Whether somebody is signed in; `"refreshing"` is signed in, with new tokens on their way. */
export type SessionState = "signed-out" | "signed-in" | "refreshing";

/** What is known at one moment. */
export interface Snapshot {
  readonly state: SessionState;
  /** The id of the session. */
  readonly session?: string | undefined;
  /** The person, once an answer has named them. */
  readonly user?: User | undefined;
}

/** What is known now, and who wants to hear when that changes. */
export interface Status {
  get(): Snapshot;
  set(snapshot: Snapshot): void;
  subscribe(listener: () => void): () => void;
}

/** Starts with this. */
export function createStatus(initial: Snapshot): Status {
  let now = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => now,
    set(next) {
      if (now.state === next.state && now.session === next.session && now.user === next.user) return;
      now = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      // Wrapped, as the same function may be given twice.
      const entry = () => listener();
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
  };
}
