/** Loads the RPC runtime at the first call, so that a page can know whether somebody is signed in without it. */

import { AuthError } from "./errors.js";
import type { AuthClientOptions } from "./options.js";
import type { Rpc } from "./runtime.js";

/** Makes a call, and rejects with an AuthError if it fails. */
export type LateRpc = <T>(call: (rpc: Rpc) => Promise<T>) => Promise<T>;

/** The service with these settings. */
export function createLateRpc(options: AuthClientOptions, timeoutMs: number): LateRpc {
  let loading: Promise<Rpc> | undefined;
  const load = () => {
    loading ??= import("./runtime.js").then(
      ({ openRpc }) => openRpc(options, timeoutMs),
      (cause: unknown) => {
        // The next call tries again.
        loading = undefined;
        throw new AuthError("unavailable", "the code for calls could not be loaded", { cause });
      },
    );
    return loading;
  };
  return async (call) => {
    const rpc = await load();
    try {
      return await call(rpc);
    } catch (error) {
      throw rpc.toAuthError(error);
    }
  };
}
