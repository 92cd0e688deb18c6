/** The cookies that hold a session on the app's own host: set and deleted with the same attributes, here alone. */

import type { ServerAuthSettings } from "./settings.js";

/** A cookie as Next.js takes it. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
  /** In seconds; 0 deletes. */
  readonly maxAge: number;
  readonly path: "/";
  readonly httpOnly: true;
  readonly sameSite: "lax";
  readonly secure: boolean;
}

/** A session's tokens. */
export interface Tokens {
  readonly access: string;
  readonly refresh: string;
  /** When the session ends unless it is refreshed, in milliseconds since 1970. */
  readonly expiresAt: number;
  /** What this device is known by at the next sign-in, whoever it is that signs in; absent after a refresh. */
  readonly device?: string | undefined;
}

/** The cookies of a request, as Next.js gives them. */
export interface CookieReader {
  get(name: string): { readonly value: string } | undefined;
}

/** The session's cookies under the names that hold on one host. */
export interface SessionCookies {
  /** The tokens in a request's cookies. */
  read(cookies: CookieReader): {
    readonly access: string | undefined;
    readonly refresh: string | undefined;
    readonly device: string | undefined;
  };
  /** What sets the tokens; without tokens, what deletes them. The device stays known: that opens nothing. */
  write(tokens: Tokens | undefined): readonly Cookie[];
}

/** As long as browsers keep any cookie, in seconds (RFC 6265bis §5.5): the service does the same. */
const REMEMBERED = 400 * 24 * 60 * 60;
// Anything else is not ours, and may be no header's value either.
const TOKEN = /^[\w.-]{1,4096}$/;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;

/** The cookies for a request to this host, as its header `host` names it. */
export function sessionCookies({ insecureCookies = false }: ServerAuthSettings, host: string | null): SessionCookies {
  // Refused rather than ignored: somebody has set a switch for development where people sign in.
  if (insecureCookies && !LOOPBACK.test(host ?? "")) {
    throw new Error("insecureCookies is for development on a loopback host: unset it");
  }
  const secure = !insecureCookies;
  // The prefix keeps the cookies to this host and to this path, and off plain http (RFC 6265bis §4.1.3).
  const prefix = secure ? "__Host-" : "";
  const names = {
    access: `${prefix}countersign-access`,
    refresh: `${prefix}countersign-refresh`,
    device: `${prefix}countersign-device`,
  };
  const find = (cookies: CookieReader, name: string) => TOKEN.exec(cookies.get(name)?.value ?? "")?.[0];
  const shared = { path: "/", httpOnly: true, sameSite: "lax", secure } as const;
  return {
    read: (cookies) => ({
      access: find(cookies, names.access),
      refresh: find(cookies, names.refresh),
      device: find(cookies, names.device),
    }),
    write(tokens) {
      // Both live as long as the session may, so that an aged access token is told from none.
      const maxAge = tokens === undefined ? 0 : Math.max(0, Math.floor((tokens.expiresAt - Date.now()) / 1000));
      return [
        { name: names.access, value: tokens?.access ?? "", maxAge, ...shared },
        { name: names.refresh, value: tokens?.refresh ?? "", maxAge, ...shared },
        ...(tokens?.device === undefined
          ? []
          : [{ name: names.device, value: tokens.device, maxAge: REMEMBERED, ...shared }]),
      ];
    },
  };
}
