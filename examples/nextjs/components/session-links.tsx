/** The corner of the header: ways in, or the way out. */

import Link from "next/link";
import { connection } from "next/server";
import { getSession } from "../auth/server";
import { browserSettings, isSeenHere } from "../auth/settings";
import { InBrowser } from "./late";

export async function SessionLinks() {
  await connection();
  if (browserSettings !== undefined && !isSeenHere) return <InBrowser part="links" settings={browserSettings} />;
  // A header that fails would take the page with it; the page itself says what is the matter.
  const session = await getSession().catch(() => null);
  if (session === null) return null;
  if (session !== undefined) {
    if (browserSettings !== undefined) return <InBrowser part="sign-out" settings={browserSettings} />;
    return (
      <form action="/sign-out" method="post" className="inline">
        <button type="submit" className="button">
          Sign out
        </button>
      </form>
    );
  }
  return (
    <>
      <Link href="/sign-up">Sign up</Link>
      <Link href="/sign-in">Sign in</Link>
    </>
  );
}
