/** The corner of the header: ways in, or the way out. */

import { connection } from "next/server";
import Link from "next/link";
import { signOut } from "../auth/actions";
import { getSession } from "../auth/server";
import { browserSettings, isSeenHere } from "../auth/settings";
import { SignOutForm } from "./account-forms";
import { InBrowser } from "./late";

export async function SessionLinks() {
  await connection();
  if (browserSettings !== undefined && !isSeenHere) return <InBrowser part="links" settings={browserSettings} />;
  // A header that fails would take the page with it; the page itself says what is the matter.
  const session = await getSession().catch(() => null);
  if (session === null) return null;
  if (session !== undefined) {
    return browserSettings === undefined ? (
      <SignOutForm action={signOut} />
    ) : (
      <InBrowser part="sign-out" settings={browserSettings} />
    );
  }
  return (
    <>
      <Link href="/sign-up">Sign up</Link>
      <Link href="/sign-in">Sign in</Link>
    </>
  );
}
