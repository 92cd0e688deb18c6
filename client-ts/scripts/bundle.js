/** Measures what a module adds to a page: bundled and minified as an app's would be, and compressed as a server sends it. */

import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/**
 * The bytes (gzip) that a page loads at once and late for this source, of which the `external` packages are no part. Packages
 * are looked for from `directory` on.
 */
export async function measure(contents, external = [], directory = ".") {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: directory },
    external,
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    target: "es2022",
    define: { "process.env.NODE_ENV": '"production"' },
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
