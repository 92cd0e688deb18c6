/** Prints our sizes beside those of other clients, measured in the same way at the same moment: a page for docs/measurements. */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { measure } from "./bundle.js";

const OTHERS = "scripts/others";
const { version, devDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
const { dependencies } = JSON.parse(readFileSync(`${OTHERS}/package.json`, "utf8"));

const ours = (entry, names) => ({
  name: `countersign ${version}`,
  entry,
  code: `export { ${names} } from "./dist/${entry}.js";`,
});
const other = (name, path, names) => ({
  name: `${name} ${dependencies[name]}`,
  entry: path,
  code: `export { ${names} } from "${path}";`,
  directory: OTHERS,
});
const rows = [
  { ...ours("index", "createAuthClient, AuthError"), shown: "countersign" },
  { ...ours("react", "useSession, useUser"), shown: "countersign/react" },
  { ...ours("verify", "createVerifier"), shown: "countersign/verify" },
  other("better-auth", "better-auth/client", "createAuthClient"),
  other("better-auth", "better-auth/react", "createAuthClient"),
  other("@supabase/auth-js", "@supabase/auth-js", "AuthClient"),
];

const lines = [];
for (const { name, entry, shown = entry, code, directory } of rows) {
  const { now, later } = await measure(code, ["react"], directory);
  lines.push(`| ${name} | \`${shown}\` | ${bytes(now)} | ${later === 0 ? "" : bytes(later)} | ${bytes(now + later)} |`);
}

console.log(`# Size of the TypeScript client, beside others

| | |
| --- | --- |
| date | ${new Date().toISOString().slice(0, 10)} |
| commit | ${execFileSync("git", ["rev-parse", "HEAD"], { encoding: "utf8" }).trim()} |
| machine | ${cpus()[0]?.model ?? "unknown"}, Linux ${release()}, Node.js ${process.versions.node} |
| bundler | esbuild ${devDependencies.esbuild}: minified, tree-shaken, for ES2022, with code splitting; then gzip -9 of each file |

Bytes that a page loads for the function that makes a client, and for all that it imports but React:

| package | entry point | at once | with the first call | together |
| --- | --- | --- | --- | --- |
${lines.join("\n")}

\`countersign/react\` comes on top of \`countersign\`; \`better-auth/react\` has its client in it. What ours loads with the first call
is mostly the runtimes of Connect and of Protobuf, which the others do without: they speak JSON. So ours is the smallest for a
page whose visitor makes no call, and the largest for one who does.

To get this page: \`make size-comparison\`.`);

function bytes(count) {
  return count.toLocaleString("en");
}
