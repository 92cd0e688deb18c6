/** Finds out whether a visitor has a session, by their cookies alone where that is possible. */

import { AuthError, endsSession } from "../errors.js";
import type { LateRpc } from "../late-rpc.js";
import type { Verifier } from "../verify.js";
import type { Tokens } from "./cookies.js";
import { createRenew } from "./renewal.js";

/** What is known of a visitor. */
export interface Standing {
  readonly isSignedIn: boolean;
  /** The tokens that their cookies have to hold from now on; `"none"` if these are good for nothing. */
  readonly change?: Tokens | "none";
}

/** Judges the tokens of one request, either of which may be missing. */
export type Settle = (
  tokens: { readonly access: string | undefined; readonly refresh: string | undefined },
  visitor: HeadersInit,
) => Promise<Standing>;

/** A page is given a token that is good for a while: it must not expire between here and the service. */
const SPARE_MS = 30_000;

/** Judges by this verifier, and renews by this service. While neither answers it signs nobody out. */
export function createSettle(verifier: Verifier, rpc: LateRpc): Settle {
  const renew = createRenew(rpc);

  async function judge(token: string): Promise<"fresh" | "ageing" | "refused" | "unknown"> {
    try {
      const { exp } = await verifier.verify(token);
      return exp.getTime() - Date.now() > SPARE_MS ? "fresh" : "ageing";
    } catch (error) {
      return error instanceof AuthError && error.code === "unauthenticated" ? "refused" : "unknown";
    }
  }

  return async ({ access, refresh }, visitor) => {
    if (access === undefined && refresh === undefined) return { isSignedIn: false };
    const judged = access === undefined ? "refused" : await judge(access);
    if (judged === "fresh" || judged === "unknown") return { isSignedIn: true };
    if (refresh === undefined)
      return judged === "ageing" ? { isSignedIn: true } : { isSignedIn: false, change: "none" };
    try {
      return { isSignedIn: true, change: await renew(refresh, visitor) };
    } catch (error) {
      // If nobody answers, the page will say so; its visitor is still signed in.
      return isRefusal(error) ? { isSignedIn: false, change: "none" } : { isSignedIn: true };
    }
  };
}

/** Whether no refresh token of ours was presented, or one that is good no longer. */
function isRefusal(error: unknown): boolean {
  return endsSession(error) || (error instanceof AuthError && error.code === "invalid_argument");
}
