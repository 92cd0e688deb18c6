/** What `.env` says, read when the server runs: one build serves every mode. */

import "server-only";
import type { BrowserSettings } from "./form-state";

/** Where the session lives; README.md compares them. */
export type Mode = "server" | "rewrite" | "cross-site" | "bearer";

const serviceUrl = process.env["COUNTERSIGN_URL"] || "http://localhost:50051";
const publicUrl = process.env["COUNTERSIGN_PUBLIC_URL"] || serviceUrl;

/** For `countersign/next` and `countersign/next/proxy`. */
export const settings = {
  serviceUrl,
  issuer: process.env["COUNTERSIGN_ISSUER"] || undefined,
  insecureCookies: process.env["COUNTERSIGN_INSECURE_COOKIES"] === "true",
};

export const mode = modeOf(process.env["AUTH_MODE"] || "server");

/** Whether this server sees the session, and so can render as the person. */
export const isSeenHere = mode === "server" || mode === "rewrite";

/** How the browser calls the service; `undefined` where it never does. */
export const browserSettings: BrowserSettings | undefined = {
  server: undefined,
  rewrite: { baseUrl: "/rpc", mode: "cookie" } as const,
  "cross-site": { baseUrl: publicUrl, mode: "cookie" } as const,
  bearer: { baseUrl: publicUrl, mode: "bearer" } as const,
}[mode];

function modeOf(text: string): Mode {
  if (text === "server" || text === "rewrite" || text === "cross-site" || text === "bearer") return text;
  throw new Error(`AUTH_MODE is "${text}", and has to be "server", "rewrite", "cross-site" or "bearer"`);
}
