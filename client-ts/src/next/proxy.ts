/** Stands before a Next.js app's pages: renews what has expired, since pages cannot, and turns away who is not signed in. */

import { NextResponse } from "next/server.js";
import { createVerifier } from "../verify.js";
import { type Cookie, type CookieReader, sessionCookies } from "./cookies.js";
import { safePath } from "./safe-path.js";
import { openService, visitor } from "./service.js";
import { type ServerAuthSettings, signInAddress } from "./settings.js";
import { createSettle } from "./standing.js";

export { safePath } from "./safe-path.js";
export type { ServerAuthSettings } from "./settings.js";

/** Settings of `createAuthProxy`. */
export interface AuthProxySettings extends ServerAuthSettings {
  /** What only signed-in people see: these paths and all below them, `["/account"]`. */
  readonly protect: readonly string[];
  /** Who signs the tokens: the service's `server.public_url`; `serviceUrl` by default. */
  readonly issuer?: string | undefined;
  /** Whom they are for: the service's `tokens.audience`; `"countersign"` by default. */
  readonly audience?: string | undefined;
}

/** What the proxy needs of a `NextRequest`. */
export interface AuthProxyRequest {
  readonly method: string;
  readonly headers: Headers;
  readonly nextUrl: {
    readonly pathname: string;
    readonly search: string;
    clone(): { readonly href: string; pathname: string; search: string };
  };
  readonly cookies: CookieReader & { set(name: string, value: string): unknown };
}

/** What a `proxy.ts` exports. */
export type AuthProxy = (request: AuthProxyRequest) => Promise<Response>;

/**
 * Makes the function that `proxy.ts` exports. It decides by the token alone, mostly without a call: pages ask again, with
 * `requireSession`. While the service cannot be reached it signs nobody out.
 */
export function createAuthProxy(settings: AuthProxySettings): AuthProxy {
  const { serviceUrl, issuer = serviceUrl, audience = "countersign" } = settings;
  const keysUrl = `${serviceUrl}/.well-known/countersign/keys`;
  const settle = createSettle(createVerifier({ keysUrl, issuer, audience }), openService(settings));

  return async (request) => {
    const own = sessionCookies(settings, request.headers.get("host"));
    const { isSignedIn, change } = await settle(own.read(request.cookies), visitor(request.headers));

    const written = change === undefined ? [] : own.write(change === "none" ? undefined : change);
    const guarded = isGuarded(request, settings.protect);
    const response = guarded && !isSignedIn ? turnAway(request, settings) : forward(request, written);
    for (const cookie of written) response.cookies.set(cookie);
    // What is one person's must not be kept for another.
    if (guarded || written.length > 0) response.headers.set("cache-control", "private, no-store");
    return response;
  };
}

/** A server action is not: it can be posted to any path, and has to check by itself. */
function isGuarded({ headers, nextUrl }: AuthProxyRequest, protect: readonly string[]): boolean {
  const path = decoded(nextUrl.pathname);
  return !headers.has("next-action") && protect.some((prefix) => path === prefix || path.startsWith(`${prefix}/`));
}

/** As the router reads it: `/%61ccount` is `/account`. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Lets the request through with the new tokens in it, where the page that it is for reads them. */
function forward(request: AuthProxyRequest, written: readonly Cookie[]): NextResponse {
  for (const { name, value } of written) request.cookies.set(name, value);
  const headers = new Headers(request.headers);
  // A visitor has no use for it but to get past a proxy (CVE-2025-29927).
  headers.delete("x-middleware-subrequest");
  return NextResponse.next({ request: { headers } });
}

function turnAway({ method, nextUrl }: AuthProxyRequest, settings: ServerAuthSettings): NextResponse {
  const isRead = method === "GET" || method === "HEAD";
  const next = isRead ? safePath(nextUrl.pathname + nextUrl.search) : undefined;
  const { pathname, search } = new URL(signInAddress(settings, next), "http://app.invalid");
  const url = Object.assign(nextUrl.clone(), { pathname, search });
  // What was posted here is not to be posted to another page.
  return NextResponse.redirect(url.href, isRead ? 307 : 303);
}
