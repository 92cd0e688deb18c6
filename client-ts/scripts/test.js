/**
 * Runs the compiled tests: those in a browser once, and the others in the oldest Node.js that we support and in the newest
 * that lasts. Those two are packaged for Linux on x86-64; elsewhere the tests run in the Node.js that is there, and say so.
 */

import { readdirSync } from "node:fs";
import { hasNodes, install, nodes, run } from "./versions.js";

// A net against a test that waits for ever.
const LONGEST_MS = 900_000;
const IN_A_BROWSER = ["browser", "hostile"].map((name) => `build/tests/${name}.test.js`);

const files = readdirSync("build/tests")
  .filter((name) => name.endsWith(".test.js"))
  .map((name) => `build/tests/${name}`)
  .filter((file) => !IN_A_BROWSER.includes(file));

test("a browser", process.execPath, IN_A_BROWSER);
if (hasNodes) {
  install();
  for (const { version, program } of nodes) test(`Node.js ${version}`, program, files);
} else {
  test(`Node.js ${process.versions.node}`, process.execPath, files);
  const missed = nodes.map(({ version }) => version).join(" and ");
  console.warn(`NOT RUN in Node.js ${missed}: they are there for Linux on x86-64 alone`);
}

function test(where, program, files) {
  console.log(`== in ${where}: ${files.length} files`);
  run(program, ["--test", ...files], { timeout: LONGEST_MS });
}
