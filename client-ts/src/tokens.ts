/** What other services ask: with a key of their own, which has no place in a browser and none in a person's session. */

import type { Client } from "@connectrpc/connect";
import type { TokenService } from "./gen/countersign/v1/token_service_pb.js";
import type { LateRpc } from "./late-rpc.js";

/**
 * The calls of `TokenService`, as the generated code types them, with `AuthError`. Each needs the key of a service, as
 * `countersign backend create` prints it, in its options: `{ headers: { authorization: "Bearer cs_bk_…" } }`; only
 * `listPublicKeys` is for everybody.
 */
export type TokenCalls = Client<typeof TokenService>;

/** The calls over this connection. */
export function createTokenCalls(rpc: LateRpc): TokenCalls {
  return {
    verifyToken: (request, options) => rpc(({ tokens }) => tokens.verifyToken(request, options)),
    batchVerifyTokens: (request, options) => rpc(({ tokens }) => tokens.batchVerifyTokens(request, options)),
    listPublicKeys: (request, options) => rpc(({ tokens }) => tokens.listPublicKeys(request, options)),
    async *watchRevocations(request, options) {
      // The runtime's own stream goes on behind who has heard enough.
      const over = new AbortController();
      const signal = options?.signal ? AbortSignal.any([options.signal, over.signal]) : over.signal;
      try {
        // It lasts as long as whoever listens wants, and not as long as a call may take.
        const answers = await rpc(async ({ tokens }) =>
          tokens.watchRevocations(request, { timeoutMs: 0, ...options, signal })[Symbol.asyncIterator](),
        );
        for (;;) {
          const answer = await rpc(() => answers.next());
          if (answer.done) return;
          yield answer.value;
        }
      } finally {
        over.abort();
      }
    },
  };
}
