/**
 * Runs the compiled tests: those in a browser once, and the others in the oldest Node.js that we support and in the newest
 * that lasts. Those two are packaged for Linux on x86-64; elsewhere the tests run in the Node.js that is there, and say so.
 */

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

// A net against a test that waits for ever.
const LONGEST_MS = 900_000;
const BROWSER = "build/tests/browser.test.js";

const directory = fileURLToPath(new URL("nodes/", import.meta.url));
const { optionalDependencies } = JSON.parse(readFileSync(`${directory}package.json`, "utf8"));
const nodes = Object.entries(optionalDependencies).map(([name, source]) => ({
  program: `${directory}node_modules/${name}/bin/node`,
  version: source.replace(/.*@/, "v"),
}));

const files = readdirSync("build/tests")
  .filter((name) => name.endsWith(".test.js"))
  .map((name) => `build/tests/${name}`);

run(process.execPath, [BROWSER]);
if (process.platform === "linux" && process.arch === "x64") {
  if (nodes.some(({ program, version }) => versionOf(program) !== version)) {
    console.log(`installing Node.js ${nodes.map(({ version }) => version).join(" and ")}`);
    must(spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: directory, stdio: "inherit" }));
  }
  for (const { program } of nodes)
    run(
      program,
      files.filter((file) => file !== BROWSER),
    );
} else {
  run(
    process.execPath,
    files.filter((file) => file !== BROWSER),
  );
  const missed = nodes.map(({ version }) => version).join(" and ");
  console.warn(`NOT RUN in Node.js ${missed}, which the tests have for Linux on x86-64 alone`);
}

function run(program, files) {
  console.log(`== Node.js ${versionOf(program)}: ${files.length === 1 ? files[0] : `${files.length} files`}`);
  must(spawnSync(program, ["--test", ...files], { stdio: "inherit", timeout: LONGEST_MS }));
}

function versionOf(program) {
  return spawnSync(program, ["--version"], { encoding: "utf8" }).stdout?.trim();
}

function must({ status, error }) {
  if (error !== undefined) console.error(error.message);
  if (status !== 0) process.exit(status ?? 1);
}
