import { isSameOrigin } from "countersign/next";
import { signOut } from "../../auth/server";

/** A plain form posts here: the browser then drops the document, with the pages that the router keeps, hidden. */
export async function POST(request: Request): Promise<Response> {
  // What Next.js does for server actions, a route handler has to do by itself.
  if (!isSameOrigin(request)) return new Response(null, { status: 403 });
  // If the service does not answer, the person is still signed in, and their page says so.
  const location = await signOut().then(
    () => "/",
    () => "/me",
  );
  return new Response(null, { status: 303, headers: { location } });
}
