/**
 * Installs the package as npm would publish it into projects of its users, and lets their compilers check the README's
 * examples there: what compiles here may still lack a file, or ask of others what our own settings give us.
 */

import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { compilers, hasNodes, install, nodes, run } from "./versions.js";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const entries = Object.keys(manifest.exports)
  .filter((path) => path !== "./package.json")
  .map((path) => path.replace(".", manifest.name));
const examples = readdirSync("tests").filter((name) => name.startsWith("readme-"));

const usual = { target: "es2022", lib: ["es2022", "dom", "dom.iterable"], jsx: "react-jsx", types: [], noEmit: true };
const strict = { strict: true, skipLibCheck: false, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true };
const projects = {
  nodenext: { module: "nodenext" },
  bundler: { module: "esnext", moduleResolution: "bundler" },
};

install();
const own = { version: manifest.devDependencies.typescript, program: resolve("node_modules/typescript/bin/tsc") };
const directory = mkdtempSync(join(tmpdir(), "countersign-consumer-"));
process.on("exit", () => rmSync(directory, { recursive: true }));
setUp();
for (const { version, program } of [...compilers, own]) {
  for (const name of Object.keys(projects)) {
    run(process.execPath, [program, "-p", `tsconfig.${name}.json`], { cwd: directory });
    console.log(`TypeScript ${version}, ${name}: ${entries.join(", ")}`);
  }
}
for (const { program } of hasNodes ? nodes : [{ program: process.execPath }]) {
  run(program, ["load.js"], { cwd: directory });
}

function setUp() {
  const modules = join(directory, "node_modules");
  const [{ filename }] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--pack-destination", directory], { encoding: "utf8" }),
  );
  mkdirSync(join(modules, manifest.name), { recursive: true });
  execFileSync("tar", ["-xzf", join(directory, filename), "-C", join(modules, manifest.name), "--strip-components=1"]);
  // What npm would fetch beside it, without fetching.
  const types = ["react"].map((name) => `@types/${name}`);
  for (const name of [...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }), ...types]) {
    mkdirSync(join(modules, name, ".."), { recursive: true });
    symlinkSync(resolve("node_modules", name), join(modules, name), "dir");
  }

  for (const name of examples) cpSync(join("tests", name), join(directory, name));
  const text = examples.map((name) => readFileSync(join("tests", name), "utf8")).join("");
  const missing = entries.filter((entry) => !text.includes(`from "${entry}"`));
  if (missing.length > 0) throw new Error(`no example of the README imports ${missing.join(", ")}`);
  // Next.js is not installed here: `examples/nextjs` loads what needs it.
  const loadable = entries.filter((entry) => !entry.startsWith(`${manifest.name}/next`));
  writeFileSync(join(directory, "load.js"), loadable.map((entry) => `await import("${entry}");\n`).join(""));
  writeFileSync(join(directory, "package.json"), '{ "private": true, "type": "module" }');
  for (const [name, settings] of Object.entries(projects)) {
    const config = { compilerOptions: { ...usual, ...strict, ...settings }, files: examples };
    writeFileSync(join(directory, `tsconfig.${name}.json`), JSON.stringify(config));
  }
}
