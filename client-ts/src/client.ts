/** Puts the parts together; the only place that knows them all. */

import { type AccountCalls, createAccountCalls } from "./account.js";
import { type AuthCalls, createAuthCalls } from "./auth.js";
import { createAsCaller, createRefresh } from "./caller.js";
import { browserLocks, createExclusive } from "./exclusive.js";
import { createLateRpc } from "./late-rpc.js";
import { openNews } from "./news.js";
import type { AuthClientOptions } from "./options.js";
import { type AuthSession, createSession } from "./session.js";
import { look, type SessionParts } from "./session-core.js";
import { createStatus } from "./status.js";
import { findPlace } from "./storage.js";
import { createTokenCalls, type TokenCalls } from "./tokens.js";
import { createVault } from "./vault.js";

/** A client of one countersign service, for one person. */
export interface AuthClient {
  /** The service's calls. */
  readonly auth: AuthCalls;
  /** What the person does with their account. */
  readonly account: AccountCalls;
  /** What other services ask about tokens, with keys of their own. */
  readonly tokens: TokenCalls;
  /** Who is signed in. */
  readonly session: AuthSession;
}

/** Makes a client. Nothing is sent, and the code for calls is not loaded, before the first call. */
export function createAuthClient(options: AuthClientOptions): AuthClient {
  const { mode, timeoutMs = 10_000 } = options;
  const name = `countersign ${options.baseUrl}`;
  const place = findPlace(options);
  const locks = options.locks === undefined ? browserLocks() : (options.locks ?? undefined);

  const vault = createVault(place.storage, name);
  const session = vault.read()?.session;
  const status = createStatus(session === undefined ? { state: "signed-out" } : { state: "signed-in", session });
  const parts: SessionParts = {
    mode,
    rpc: createLateRpc(options, timeoutMs),
    vault,
    status,
    // What only this client sees needs no lock and is no news.
    exclusive: createExclusive(name, place.shared ? locks : undefined, timeoutMs),
    tellTabs: place.shared ? openNews(name, () => look({ vault, status })) : () => undefined,
  };
  const refresh = createRefresh(parts);
  const asCaller = createAsCaller(parts, refresh);
  return {
    auth: createAuthCalls(parts, asCaller),
    account: createAccountCalls(parts, asCaller),
    tokens: createTokenCalls(parts.rpc),
    session: createSession(parts, refresh, asCaller),
  };
}
