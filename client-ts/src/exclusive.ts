/** Lets one change of the session happen at a time, in this client and across tabs: two at once overwrite each other's cookies. */

import type { AuthLocks } from "./options.js";

/** Runs the work when nothing else that was given to it runs. */
export type Exclusive = <T>(work: () => Promise<T>) => Promise<T>;

/** Queues within this client, and takes the lock of this name where there are locks. */
export function createExclusive(name: string, locks: AuthLocks | undefined, waitMs: number): Exclusive {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(() => (locks === undefined ? work() : underLock(locks, name, waitMs, work)));
    last = mine.catch(() => undefined);
    return mine;
  };
}

async function underLock<T>(locks: AuthLocks, name: string, waitMs: number, work: () => Promise<T>): Promise<T> {
  let granted = false;
  try {
    return await locks.request(name, { signal: AbortSignal.timeout(waitMs) }, () => {
      granted = true;
      return work();
    });
  } catch (error) {
    if (granted) throw error;
    // A frozen tab may hold the lock for hours. The service gives two refreshes at once the same answer.
    return work();
  }
}

/** The browser's locks, if there are any. */
export function browserLocks(): AuthLocks | undefined {
  const { navigator } = globalThis as { navigator?: { locks?: AuthLocks } };
  return navigator?.locks;
}
