/** Tells a request of this app's own pages from one that another site's page sends in a visitor's name. */

/**
 * Whether a page of the app's own sent the request, by its header `origin`. Next.js asks that of a server action by itself;
 * a route handler that changes something has to. Requests without the header are refused: no browser omits it from a POST.
 */
export function isSameOrigin({ headers }: { readonly headers: Headers }): boolean {
  const origin = headers.get("origin") ?? "";
  if (!URL.canParse(origin)) return false;
  return new URL(origin).host === (headers.get("x-forwarded-host") ?? headers.get("host"));
}
