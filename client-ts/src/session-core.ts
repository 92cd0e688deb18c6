/** The life of a session in this client: each change of it, written once, with what is kept, shown and told to other tabs. */

import { AuthError, endsSession } from "./errors.js";
import type { Exclusive } from "./exclusive.js";
import type { SignedIn } from "./gen/countersign/v1/auth_service_pb.js";
import type { User } from "./gen/countersign/v1/user_pb.js";
import type { LateRpc } from "./late-rpc.js";
import type { TellTabs } from "./news.js";
import type { Status } from "./status.js";
import { isSameTurn, type Kept, type Vault } from "./vault.js";

/** The parts that a session's life involves. */
export interface SessionParts {
  readonly mode: "cookie" | "bearer";
  readonly rpc: LateRpc;
  readonly vault: Vault;
  readonly status: Status;
  readonly exclusive: Exclusive;
  readonly tellTabs: TellTabs;
}

/** Somebody signed in. */
export function open(parts: SessionParts, signedIn: SignedIn | undefined): User {
  const user = keep(parts, signedIn, 0);
  parts.tellTabs();
  return user;
}

/** Who is signed in has shown once more who they are: the same session, with new tokens. */
export function prove(parts: SessionParts, signedIn: SignedIn | undefined): User {
  return keep(parts, signedIn, (parts.vault.read()?.turn ?? 0) + 1);
}

/** The session is over, or was never there. */
export function close(parts: SessionParts): void {
  parts.vault.clear();
  parts.status.set({ state: "signed-out" });
  parts.tellTabs();
}

/** Closes if the service said that this very session is over: its answer may come when somebody has signed in again. */
export function closeIfRefused(parts: SessionParts, seen: Kept | undefined, error: unknown): void {
  if (endsSession(error) && isSameTurn(parts.vault.read(), seen)) close(parts);
}

/** Refreshes, unless another tab has by now. Rejects if there are no new tokens, and closes only if there can be none. */
export async function renew(parts: SessionParts, seen: Kept | undefined): Promise<boolean> {
  const { mode, rpc, vault, status } = parts;
  if (!isSameTurn(vault.read(), seen)) return false;
  if (mode === "bearer" && seen?.refresh === undefined) throw notSignedIn();
  const before = status.get();
  status.set({ ...before, state: "refreshing" });
  try {
    const answer = await rpc(({ client, delivery }) => client.refresh({ refreshToken: seen?.refresh ?? "", delivery }));
    // Without locks another tab may have signed out meanwhile, and its news may come later than this answer.
    if (vault.read()?.session !== seen?.session) {
      look(parts);
      return false;
    }
    keep(parts, answer.signedIn, (seen?.turn ?? 0) + 1);
    if (seen === undefined) parts.tellTabs();
    return true;
  } catch (error) {
    closeIfRefused(parts, seen, error);
    throw error;
  } finally {
    if (status.get().state === "refreshing") status.set(before);
  }
}

/** Shows what is kept now, after another tab may have changed it. */
export function look({ vault, status }: Pick<SessionParts, "vault" | "status">): void {
  const session = vault.read()?.session;
  if (session === status.get().session) return;
  status.set(session === undefined ? { state: "signed-out" } : { state: "signed-in", session });
}

/** What a caller is told without asking the service, which would say the same. */
export function notSignedIn(): AuthError {
  return new AuthError("unauthenticated", "nobody is signed in", { reason: "NOT_SIGNED_IN" });
}

function keep({ mode, vault, status }: SessionParts, signedIn: SignedIn | undefined, turn: number): User {
  const { user, session, tokens } = signedIn ?? {};
  if (user === undefined || session === undefined || (mode === "bearer" && tokens === undefined)) {
    throw new AuthError("internal", "the service's answer lacks the session");
  }
  const secret = mode === "bearer" ? { access: tokens?.accessToken, refresh: tokens?.refreshToken } : {};
  vault.write({ session: session.id, turn, ...secret });
  if (tokens?.deviceToken !== undefined) vault.remember(tokens.deviceToken);
  status.set({ state: "signed-in", session: session.id, user });
  return user;
}
