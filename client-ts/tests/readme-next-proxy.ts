import { createAuthProxy } from "countersign/next/proxy";

export const proxy = createAuthProxy({
  serviceUrl: "http://localhost:50051",
  protect: ["/me"],
});

export const config = { matcher: ["/((?!_next/).*)"] };
