/** Measures what a page loads at once and what it loads with the first call, and fails when the first grows over its limit. */

import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const EAGER_LIMIT = 4096;

const { outputFiles, metafile } = await build({
  stdin: { contents: 'export { createAuthClient, AuthError } from "./dist/index.js";', resolveDir: "." },
  bundle: true,
  splitting: true,
  minify: true,
  format: "esm",
  target: "es2022",
  outdir: "build/size",
  write: false,
  metafile: true,
});

/** The file and all that it imports before it runs. */
function eager(path, found = new Set()) {
  if (found.has(path)) return found;
  found.add(path);
  for (const { path: next, kind, external } of metafile.outputs[path].imports) {
    if (kind === "import-statement" && !external) eager(next, found);
  }
  return found;
}

const entry = Object.keys(metafile.outputs).find((path) => metafile.outputs[path].entryPoint === "<stdin>");
const first = eager(entry);
const gzipped = new Map(outputFiles.map(({ path, contents }) => [path, gzipSync(contents, { level: 9 }).length]));
const sum = (wanted) =>
  Object.keys(metafile.outputs)
    .filter(wanted)
    .reduce((total, path) => total + [...gzipped].find(([file]) => file.endsWith(path))[1], 0);

const now = sum((path) => first.has(path));
const later = sum((path) => !first.has(path));
console.log(`at once: ${now} bytes gzip, of ${EAGER_LIMIT}; with the first call: ${later} more`);
if (later === 0) {
  console.error("nothing is loaded late: something imports the RPC runtime from the part that pages load at once");
  process.exitCode = 1;
}
if (now > EAGER_LIMIT) {
  console.error("the part that pages load at once is over its limit");
  process.exitCode = 1;
}
