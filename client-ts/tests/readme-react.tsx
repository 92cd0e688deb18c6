import type { AuthClient } from "countersign";
import { useSession, useUser } from "countersign/react";

export function Greeting({ client }: { readonly client: AuthClient }) {
  const state = useSession(client);
  const user = useUser(client);
  return <p>{state === "signed-out" ? "Who are you?" : `Hello ${user?.displayName ?? "…"}`}</p>;
}
