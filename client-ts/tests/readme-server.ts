import type { HandlerContext, Interceptor } from "@connectrpc/connect";
import { callerOf, tokenInterceptor } from "countersign/connect-server";
import { createFollowingVerifier } from "countersign/feed";

/** For `connectNodeAdapter({ routes, interceptors })`, and for other adapters. */
export function interceptors(backendKey: string): Interceptor[] {
  const verifier = createFollowingVerifier({
    keysUrl: "http://localhost:50051/.well-known/countersign/keys",
    issuer: "http://localhost:50051",
    audience: "countersign",
    feed: { backendKey, onStale: { allowForMs: 60_000 } },
  });
  return [tokenInterceptor(verifier)];
}

/** A handler, behind them. */
export function whoAmI(_request: object, context: HandlerContext): { readonly userId: string } {
  return { userId: callerOf(context).sub };
}
