"use client";
/** Shows the session in React components. */

import { useSyncExternalStore } from "react";
import type { AuthClient } from "./client.js";
import type { User } from "./gen/countersign/v1/user_pb.js";
import type { SessionState } from "./status.js";

/** Whether somebody is signed in; on a server, and while a page hydrates, `"signed-out"`. */
export function useSession({ session }: AuthClient): SessionState {
  return useSyncExternalStore(session.subscribe, () => session.state, signedOut);
}

/** Who is signed in, once an answer has named them. */
export function useUser({ session }: AuthClient): User | undefined {
  return useSyncExternalStore(session.subscribe, () => session.user, nobody);
}

const signedOut = (): SessionState => "signed-out";
const nobody = (): undefined => undefined;
