import type { NextConfig } from "next";

/** No page of this app is ever to be in somebody else's frame, and no form is to lead elsewhere. */
const headers = [
  {
    key: "content-security-policy",
    value: "frame-ancestors 'none'; form-action 'self'; base-uri 'none'; object-src 'none'",
  },
  { key: "x-frame-options", value: "DENY" },
  { key: "x-content-type-options", value: "nosniff" },
  { key: "referrer-policy", value: "strict-origin-when-cross-origin" },
  { key: "cross-origin-opener-policy", value: "same-origin" },
];

const config: NextConfig = {
  cacheComponents: true,
  partialPrefetching: true,
  poweredByHeader: false,
  agentRules: false,
  headers: () => Promise.resolve([{ source: "/:path*", headers }]),
};

export default config;
