/** The request that is being answered: whom the service is called for, and the cookies that the answer may set. */

import { cookies, headers as requestHeaders } from "next/headers.js";
import { type SessionCookies, sessionCookies, type Tokens } from "./cookies.js";
import { visitor } from "./service.js";
import type { ServerAuthSettings } from "./settings.js";

/** The headers of a call for this visitor; with a token, as the person that it names. */
export async function callHeaders(token?: string): Promise<HeadersInit> {
  return { ...visitor(await requestHeaders()), ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
}

/** The visitor's tokens; what this very answer has set comes first. */
export async function readCookies(settings: ServerAuthSettings): Promise<ReturnType<SessionCookies["read"]>> {
  return (await ownCookies(settings)).read(await cookies());
}

/** What tells the service that this is not a new device, in calls that open a session. */
export async function knownDevice(settings: ServerAuthSettings): Promise<{ readonly deviceToken?: string }> {
  const { device } = await readCookies(settings);
  return device === undefined ? {} : { deviceToken: device };
}

/** Sets the tokens; without tokens, deletes them. Only server actions and route handlers can. */
export async function writeCookies(settings: ServerAuthSettings, tokens: Tokens | undefined): Promise<void> {
  const [own, store] = [await ownCookies(settings), await cookies()];
  for (const cookie of own.write(tokens)) store.set(cookie);
}

async function ownCookies(settings: ServerAuthSettings): Promise<SessionCookies> {
  return sessionCookies(settings, (await requestHeaders()).get("host"));
}
