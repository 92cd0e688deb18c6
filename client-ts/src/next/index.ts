/** Who is signed in, for the server side of a Next.js app: server components, server actions and route handlers. */

import { cache } from "react";
import { AuthError, endsSession } from "../errors.js";
import type { Session } from "../gen/countersign/v1/session_pb.js";
import type { User } from "../gen/countersign/v1/user_pb.js";
import type { SignInInput, SignUpInput } from "../session.js";
import { createVisitorCalls, type VisitorCalls } from "./calls.js";
import { callHeaders, knownDevice, readCookies, writeCookies } from "./request.js";
import { openService, tokensOf } from "./service.js";
import { type ServerAuthSettings, signInAddress } from "./settings.js";

export { AuthError, type Reason } from "../errors.js";
export type { Session } from "../gen/countersign/v1/session_pb.js";
export type { User } from "../gen/countersign/v1/user_pb.js";
export { messages } from "../messages.js";
export type { SignInInput, SignUpInput } from "../session.js";
export type { LetterCalls } from "./calls.js";
export { safePath } from "./safe-path.js";
export { isSameOrigin } from "./same-origin.js";
export type { ServerAuthSettings } from "./settings.js";

/** Somebody who is signed in. */
export interface ServerSession {
  readonly user: User;
  readonly session: Session;
  /** The access token, for calls to services that accept it. Lives for minutes, and never belongs into a page. */
  readonly token: string;
}

/** The session of whoever sent the request that is being answered. Every promise rejects with an `AuthError`. */
export interface ServerAuth {
  /**
   * Who is signed in, or `undefined`. Asks the service, once for each request, so that a session that was ended elsewhere is
   * over at once. Rejects with the code `"unavailable"` if the service cannot be asked: that signs nobody out. With Cache
   * Components it belongs under `<Suspense>`.
   */
  readonly getSession: () => Promise<ServerSession | undefined>;
  /** The same for pages and actions of signed-in people: whoever is not is sent to sign in, and then to the path `next`. */
  readonly requireSession: (next?: string) => Promise<ServerSession>;
  /** Opens a session. For server actions and route handlers, like all that follow: nothing else can set cookies. */
  readonly signIn: (input: SignInInput) => Promise<User>;
  /** Makes an account, and opens no session. The answer is the same if the address has an account. */
  readonly signUp: (input: SignUpInput) => Promise<void>;
  /**
   * Ends the session, or with `everywhere` all of the person's. Rejects, and changes nothing, if the service cannot be
   * reached: the session would still be open.
   */
  readonly signOut: (options?: { readonly everywhere?: boolean | undefined }) => Promise<void>;
  /** The calls that letters lead to, for the visitor: `verifyEmail`, `resetPassword`, … */
  readonly auth: VisitorCalls["auth"];
  /**
   * The calls of `AccountService` as the person who is signed in. Those that renew, replace or end the session write its
   * cookies: `reauthenticate`, `changePassword`, `deleteAccount`. What is refused with `STEP_UP_REQUIRED` passes after
   * `reauthenticate`, in the same action too.
   */
  readonly account: VisitorCalls["account"];
}

/** Puts the session of an app's visitors on its own host. `createAuthProxy` has to stand before it: pages cannot refresh. */
export function createServerAuth(settings: ServerAuthSettings): ServerAuth {
  const rpc = openService(settings);

  const getSession = cache(async (): Promise<ServerSession | undefined> => {
    const { access: token } = await readCookies(settings);
    if (token === undefined) return undefined;
    const headers = await callHeaders(token);
    try {
      const { user, session } = await rpc(({ client }) => client.whoAmI({}, { headers }));
      return { user: present(user), session: present(session), token };
    } catch (error) {
      if (endsSession(error)) return undefined;
      throw forBoundary(error);
    }
  });

  return {
    ...createVisitorCalls(settings, rpc),
    getSession,
    async requireSession(next) {
      const session = await getSession();
      if (session !== undefined) return session;
      // By this very name, which Next.js replaces by what fits the place; and late, as Node.js by itself does not find it.
      const { redirect } = await import("next/navigation");
      return redirect(signInAddress(settings, next));
    },
    async signIn({ email, password }) {
      const headers = await callHeaders();
      const known = await knownDevice(settings);
      const { outcome } = await rpc(({ client, delivery }) =>
        client.login({ email, password, delivery, ...known }, { headers }),
      );
      if (outcome.case !== "signedIn") throw new AuthError("unimplemented", "this sign-in needs a newer client");
      await writeCookies(settings, tokensOf(outcome.value));
      return present(outcome.value.user);
    },
    async signUp({ email, password, displayName = "" }) {
      const headers = await callHeaders();
      await rpc(({ client }) => client.signUp({ email, password, displayName }, { headers }));
    },
    async signOut({ everywhere = false } = {}) {
      const { access: token } = await readCookies(settings);
      if (token === undefined) return;
      const headers = await callHeaders(token);
      try {
        await rpc(({ client }) => client.logout({ everywhere }, { headers }));
      } catch (error) {
        // It is over, which is what was asked for.
        if (!endsSession(error)) throw error;
      }
      await writeCookies(settings, undefined);
    },
  };
}

function present<T>(part: T | undefined): T {
  if (part === undefined) throw new AuthError("internal", "the service's answer lacks a part");
  return part;
}

/** Next.js hides what a server component threw from the page, but for `digest`: so `error.tsx` can say what is the matter. */
function forBoundary(error: unknown): unknown {
  return error instanceof AuthError
    ? Object.assign(error, { digest: error.reason ?? error.code.toUpperCase() })
    : error;
}
