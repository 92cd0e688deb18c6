/** Measures what each entry point adds to a page, and fails where one grows over its limit. */

import { gzipSync } from "node:zlib";
import { build } from "esbuild";

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

async function measure(contents, external) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: "." },
    external,
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    target: "es2022",
    outdir: "build/size",
    write: false,
    metafile: true,
  });
  const { outputs } = metafile;
  const first = eager(
    outputs,
    Object.keys(outputs).find((path) => outputs[path].entryPoint === "<stdin>"),
  );
  const sum = (wanted) =>
    Object.keys(outputs)
      .filter(wanted)
      .map((path) => outputFiles.find((file) => file.path.endsWith(path)).contents)
      .reduce((total, contents) => total + gzipSync(contents, { level: 9 }).length, 0);
  return { now: sum((path) => first.has(path)), later: sum((path) => !first.has(path)) };
}

/** The file and all that it imports before it runs. */
function eager(outputs, path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  for (const { path: next, kind, external } of outputs[path].imports) {
    if (kind === "import-statement" && !external) eager(outputs, next, found);
  }
  return found;
}
