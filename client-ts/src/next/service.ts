/** The calls that a Next.js server makes for its visitors; tokens come in messages, and go into cookies of the app's own. */

import { timestampMs } from "@bufbuild/protobuf/wkt";
import { AuthError } from "../errors.js";
import type { SignedIn } from "../gen/countersign/v1/auth_service_pb.js";
import { createLateRpc, type LateRpc } from "../late-rpc.js";
import type { Tokens } from "./cookies.js";
import type { ServerAuthSettings } from "./settings.js";

/** The service that these settings name. */
export function openService({ serviceUrl, timeoutMs = 5_000 }: ServerAuthSettings): LateRpc {
  return createLateRpc({ baseUrl: serviceUrl, mode: "bearer" }, timeoutMs);
}

/**
 * Says for whom this server calls. The service believes it from the networks in its `server.trusted_proxies`, and from
 * nobody else.
 */
export function visitor(headers: { get(name: string): string | null }): Record<string, string> {
  const named = { "x-forwarded-for": headers.get("x-forwarded-for"), "x-client-user-agent": headers.get("user-agent") };
  return Object.fromEntries(Object.entries(named).filter((entry): entry is [string, string] => entry[1] !== null));
}

/** The tokens in an answer. */
export function tokensOf(signedIn: SignedIn | undefined): Tokens {
  const tokens = signedIn?.tokens;
  if (tokens?.refreshExpiresAt === undefined) throw new AuthError("internal", "the service's answer lacks the tokens");
  return {
    access: tokens.accessToken,
    refresh: tokens.refreshToken,
    expiresAt: timestampMs(tokens.refreshExpiresAt),
    device: tokens.deviceToken,
  };
}
