/** What an app says of its service and itself, once, for the pages and for the proxy alike. */

/** Settings of `createServerAuth` and `createAuthProxy`. */
export interface ServerAuthSettings {
  /** Where this server reaches the service: `http://localhost:50051`. No browser ever sees it. */
  readonly serviceUrl: string;
  /** The page to sign in on; `/sign-in` by default. */
  readonly signInPath?: string | undefined;
  /** How long one call of the service may take; 5,000 by default. */
  readonly timeoutMs?: number | undefined;
  /**
   * For development in Safari, which keeps no `Secure` cookie of `http://localhost`: cookies without `Secure` and without the
   * prefix `__Host-`. On any host but a loopback one everything that needs a cookie throws.
   */
  readonly insecureCookies?: boolean | undefined;
}

/** The page to sign in on, and where to go afterwards. */
export function signInAddress({ signInPath = "/sign-in" }: ServerAuthSettings, next: string | undefined): string {
  return next === undefined ? signInPath : `${signInPath}?next=${encodeURIComponent(next)}`;
}
