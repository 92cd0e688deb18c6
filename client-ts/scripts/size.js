/** Measures what each entry point adds to a page, and fails where one grows over its limit. */

import { measure } from "./bundle.js";

/** What is measured; without `external`, with everything that it needs. Limits in bytes, gzip. */
const entries = [
  { name: "countersign", exports: "{ createAuthClient, AuthError }", file: "index", limit: 4096, loadsLater: true },
  { name: "countersign/react", exports: "*", file: "react", limit: 512, external: ["react"] },
  { name: "countersign/verify", exports: "*", file: "verify", limit: 2560 },
  // Its users have these two already.
  {
    name: "countersign/connect",
    exports: "*",
    file: "connect",
    limit: 3072,
    external: ["@connectrpc/connect", "@bufbuild/protobuf"],
  },
];

for (const { name, exports, file, limit, external = [], loadsLater = false } of entries) {
  const { now, later } = await measure(`export ${exports} from "./dist/${file}.js";`, external);
  const rest = loadsLater ? `; with the first call ${later} more` : "";
  console.log(`${name.padEnd(20)}${String(now).padStart(6)} bytes gzip, of ${limit}${rest}`);
  if (now > limit) fail(`${name} is over its limit`);
  if (loadsLater !== later > 0) fail(`${name}: what pages load at once and what they load late is mixed up`);
}

function fail(message) {
  console.error(message);
  process.exitCode = 1;
}
