/** Installs what lies in versions/, when it is asked for: nobody needs it but for these checks. */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const directory = fileURLToPath(new URL("versions/", import.meta.url));
const { dependencies, optionalDependencies } = read("package.json");

/** Whether the other Node.js are there for this machine. */
export const hasNodes = process.platform === "linux" && process.arch === "x64";

/** The Node.js that we support: the oldest, and the newest that lasts. */
export const nodes = list(optionalDependencies, "bin/node");

/** The compilers beside our own. */
export const compilers = list(dependencies, "lib/tsc.js");

/** Installs them, if that is not done. */
export function install() {
  const wanted = hasNodes ? [...nodes, ...compilers] : compilers;
  if (wanted.every(({ name, version }) => installed(name) === version)) return;
  console.log(`installing ${wanted.map(({ name }) => name).join(", ")}`);
  run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: directory });
}

/** Runs the program, and ends this one if it fails. */
export function run(program, args, options) {
  const { status, error } = spawnSync(program, args, { stdio: "inherit", ...options });
  if (error !== undefined) console.error(error.message);
  if (status !== 0) process.exit(status ?? 1);
}

function list(packages, path) {
  return Object.entries(packages).map(([name, source]) => ({
    name,
    version: source.replace(/.*@/, ""),
    program: `${directory}node_modules/${name}/${path}`,
  }));
}

function installed(name) {
  try {
    return read("node_modules/.package-lock.json").packages[`node_modules/${name}`]?.version;
  } catch {
    return undefined;
  }
}

function read(path) {
  return JSON.parse(readFileSync(directory + path, "utf8"));
}
