import { createAuthProxy } from "countersign/next/proxy";
import { type NextRequest, NextResponse } from "next/server";
import { isSeenHere, mode, settings } from "./auth/settings";

const guard = createAuthProxy({ ...settings, protect: ["/me", "/members", "/account"] });

export function proxy(request: NextRequest): Response | Promise<Response> {
  const [, rpc] = /^\/rpc(\/countersign\.v1\.\w+\/\w+)$/.exec(request.nextUrl.pathname) ?? [];
  if (mode === "rewrite" && rpc !== undefined) return NextResponse.rewrite(settings.serviceUrl + rpc);
  return isSeenHere ? guard(request) : NextResponse.next();
}

export const config = { matcher: ["/((?!_next/|icon\\.svg$).*)"] };
