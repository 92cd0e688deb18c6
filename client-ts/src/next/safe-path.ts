/** Decides where a visitor may be sent: `?next=` is written by whoever made the link. */

const LONGEST = 2048;
// Browsers skip tabs and newlines in an address, and read a backslash as a slash: "/\t/evil.example" is another site.
const FORBIDDEN = /[\\\p{Cc}]/u;

/**
 * A path of this app's own, as it is to be passed to `redirect`; the fallback for everything else: other sites, in all their
 * spellings, and what is no path at all.
 */
export function safePath(candidate: unknown, fallback = "/"): string {
  if (typeof candidate !== "string" || candidate.length > LONGEST || FORBIDDEN.test(candidate)) return fallback;
  if (!isOwn(candidate)) return fallback;
  const { pathname, search, hash } = new URL(candidate, "http://app.invalid");
  // "/.//evil.example" becomes "//evil.example" by being read once.
  return isOwn(pathname) ? `${pathname}${search}${hash}` : fallback;
}

function isOwn(path: string): boolean {
  return path.startsWith("/") && !path.startsWith("//");
}
