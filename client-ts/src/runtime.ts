/** All that needs the RPC runtime, in the one module that is loaded late: most of a page's visitors never make a call. */

import { equals } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { AccountService } from "./gen/countersign/v1/account_service_pb.js";
import { AuthService, TokenDelivery } from "./gen/countersign/v1/auth_service_pb.js";
import { TokenService } from "./gen/countersign/v1/token_service_pb.js";
import { type User, UserSchema } from "./gen/countersign/v1/user_pb.js";
import type { AuthClientOptions } from "./options.js";
import { toAuthError } from "./rpc-errors.js";

/** The service, as the RPC runtime shows it. */
export interface Rpc {
  readonly client: Client<typeof AuthService>;
  readonly account: Client<typeof AccountService>;
  readonly tokens: Client<typeof TokenService>;
  readonly delivery: TokenDelivery;
  readonly toAuthError: (error: unknown) => Error;
  readonly sameOrFresh: (known: User | undefined, fresh: User | undefined) => User | undefined;
}

/** Connects to the service; nothing is sent yet. */
export function openRpc(options: AuthClientOptions, timeoutMs: number): Rpc {
  const cookie = options.mode === "cookie";
  const transport = createGrpcWebTransport({
    baseUrl: options.baseUrl,
    defaultTimeoutMs: timeoutMs,
    fetch: (input, init) =>
      (options.fetch ?? globalThis.fetch)(input, {
        ...init,
        // The runtime says "error", which edge runtimes refuse; an answer that redirects is no answer either way.
        redirect: "manual",
        // Edge runtimes refuse the field, so it is there only where it is needed.
        ...(cookie ? { credentials: "include" } : {}),
      }),
  });
  return {
    client: createClient(AuthService, transport),
    account: createClient(AccountService, transport),
    tokens: createClient(TokenService, transport),
    delivery: cookie ? TokenDelivery.COOKIE : TokenDelivery.BODY,
    toAuthError,
    sameOrFresh,
  };
}

/** Listeners hear of a change only if there is one. */
function sameOrFresh(known: User | undefined, fresh: User | undefined): User | undefined {
  return known && fresh && equals(UserSchema, known, fresh) ? known : fresh;
}
