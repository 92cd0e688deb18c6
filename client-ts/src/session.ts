/** The session as an app sees it: who is signed in, and the ways in and out. */

import type { AsCaller, Refresh } from "./caller.js";
import { AuthError, endsSession } from "./errors.js";
import type { User } from "./gen/countersign/v1/user_pb.js";
import type { CallOptions } from "./options.js";
import { close, open, type SessionParts } from "./session-core.js";
import type { SessionState } from "./status.js";
import type { Kept } from "./vault.js";

/** What opens a session. */
export interface SignInInput {
  readonly email: string;
  readonly password: string;
}

/** What makes an account. */
export interface SignUpInput {
  readonly email: string;
  readonly password: string;
  /** What the person wants to be called. */
  readonly displayName?: string | undefined;
}

/** How a session is to end. */
export interface SignOutOptions extends CallOptions {
  /** Whether every session of the person is to end, not only this one. */
  readonly everywhere?: boolean | undefined;
}

/** What calls of your own carry, at one moment. */
export interface Credential {
  /** The access token; absent in cookie mode, where the browser adds it. Ask again for each call. */
  readonly token: string | undefined;
  /** Whether a refresh has just brought it: refused as expired even so, the next would be too. */
  readonly isFresh: boolean;
  /**
   * Refreshes, for a call that was refused with `TOKEN_EXPIRED`, unless that has been done since; what to repeat the call
   * with. `undefined` if somebody else is signed in by now.
   */
  renew(): Promise<Credential | undefined>;
}

/** Who is signed in. Every promise rejects with an `AuthError`. */
export interface AuthSession {
  /** Known at once, without a call: from what was kept when somebody signed in. */
  readonly state: SessionState;
  /** The person, once an answer has named them: after a page load call `auth.whoAmI({})`. */
  readonly user: User | undefined;
  /** Calls the listener after each change of `state` or `user`; the function it returns ends that. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Opens a session. */
  signIn(input: SignInInput, options?: CallOptions): Promise<User>;
  /**
   * Makes an account, and opens no session: the person confirms the address, or signs in where the service asks for no
   * confirmation. The answer is the same if the address has an account.
   */
  signUp(input: SignUpInput, options?: CallOptions): Promise<void>;
  /**
   * Ends the session. Rejects, and changes nothing, if the service cannot be reached: the session would still be open, and
   * no script can delete its cookies.
   */
  signOut(options?: SignOutOptions): Promise<void>;
  /**
   * Gets new tokens now. Calls do that by themselves; this is for a page that may have cookies it does not know of. Signs
   * out only if the service refuses, not if it cannot be reached.
   */
  refresh(): Promise<void>;
  /** For calls to services that accept the tokens; `undefined` if nobody is signed in. `countersign/connect` uses it. */
  credential(): Credential | undefined;
}

/** The session over these parts. */
export function createSession(parts: SessionParts, refresh: Refresh, asCaller: AsCaller): AuthSession {
  const { rpc, vault, status, exclusive } = parts;
  const credential = (seen: Kept | undefined, isFresh = false): Credential | undefined =>
    seen && {
      token: seen.access,
      isFresh,
      async renew() {
        const isFresh = await refresh(seen);
        const now = vault.read();
        return now?.session === seen.session ? credential(now, isFresh) : undefined;
      },
    };
  return {
    get state() {
      return status.get().state;
    },
    get user() {
      return status.get().user;
    },
    subscribe: status.subscribe,
    signIn: ({ email, password }, options) =>
      exclusive(async () => {
        const deviceToken = vault.device();
        const known = deviceToken === undefined ? {} : { deviceToken };
        const { outcome } = await rpc(({ client, delivery }) =>
          client.login({ email, password, delivery, ...known }, options),
        );
        if (outcome.case !== "signedIn") throw new AuthError("unimplemented", "this sign-in needs a newer client");
        return open(parts, outcome.value);
      }),
    async signUp({ email, password, displayName = "" }, options) {
      await rpc(({ client }) => client.signUp({ email, password, displayName }, options));
    },
    async signOut({ everywhere = false, ...options } = {}) {
      try {
        await asCaller(
          ({ client }, headers) =>
            // After a refresh that is under way, whose cookies would come back otherwise.
            exclusive(async () => {
              await client.logout({ everywhere }, { ...options, headers });
              close(parts);
            }),
          options,
        );
      } catch (error) {
        // It is over, or never was, which is what was asked for.
        if (!endsSession(error)) throw error;
      }
    },
    async refresh() {
      await refresh(vault.read());
    },
    credential: () => credential(vault.read()),
  };
}
