/** Lets one caller stop waiting for what others wait for too: a shared refresh must not be given up with it. */

import { AuthError } from "./errors.js";

/** The same promise, or a rejection as soon as the signal says so. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new AuthError("canceled", "the call was given up", { cause: signal.reason }));
    if (signal.aborted) giveUp();
    signal.addEventListener("abort", giveUp, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", giveUp));
  });
}
