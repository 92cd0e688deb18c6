/** Measures what the default mode's sign-in page loads at once, beside a page of Next.js that does nothing. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const APP = fileURLToPath(new URL("..", import.meta.url));
const BARE = `${APP}build/bare/`;
const NEXT = `${APP}node_modules/next/dist/bin/next`;
/** What `countersign` may add to the page, in bytes, gzip. */
const LIMIT = 1024;
/** Texts of the package that no minifier takes away. */
const MARKS = ["nobody is signed in", "the service's answer lacks", "TOKEN_EXPIRED", "countersign.v1", "__Host-"];

const env = { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1", AUTH_MODE: "server" };

await rm(BARE, { recursive: true, force: true });
await mkdir(`${BARE}app`, { recursive: true });
await writeFile(`${BARE}package.json`, '{ "type": "module", "private": true }');
await writeFile(`${BARE}next.config.js`, "export default { cacheComponents: true, partialPrefetching: true };");
await writeFile(`${BARE}app/layout.js`, "export default ({ children }) => <html><body>{children}</body></html>;");
await writeFile(`${BARE}app/page.js`, "export default () => <p>Hello</p>;");
const [code] = await once(
  spawn(process.execPath, [NEXT, "build", BARE], { env, stdio: ["ignore", "ignore", "inherit"] }),
  "exit",
);
if (code !== 0) throw new Error("the bare page does not build");

const bare = await load(BARE, "/");
const ours = await load(APP, "/sign-in");
const isPackage = ({ text }) => MARKS.some((mark) => text.includes(mark));
const package_ = ours.filter(isPackage);
// The other modes' files have to be found by the same marks.
const all = await Promise.all(
  (await readdir(`${APP}.next/static/chunks`)).map((name) => readChunk(APP, `static/chunks/${name}`)),
);
if (!all.some(isPackage)) throw new Error("no file is known by its marks any more");
print("a page of Next.js that does nothing", bare);
print("the sign-in page of the default mode", ours);
print("of that, files with code of countersign", package_);
if (sum(package_) > LIMIT) {
  console.error(`countersign adds more than ${LIMIT} bytes`);
  process.exitCode = 1;
}

/** The scripts that this page of the built app loads at once. */
async function load(folder, path) {
  const server = spawn(process.execPath, [NEXT, "start", folder, "--port", "0"], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const origin = await new Promise((resolve, reject) => {
      server.on("exit", () => reject(new Error("the app did not start")));
      let local;
      createInterface({ input: server.stdout }).on("line", (line) => {
        local ??= /Local: +(http:\S+)/.exec(line)?.[1];
        if (/Ready in/.test(line)) resolve(local);
      });
    });
    const html = (await (await fetch(origin + path)).text()).replace(/<script[^>]* noModule=""[^>]*>/g, "");
    const names = new Set([...html.matchAll(/static\/chunks\/[\w~.-]+\.js/g)].map(([name]) => name));
    return await Promise.all([...names].map((name) => readChunk(folder, name)));
  } finally {
    server.removeAllListeners("exit");
    server.kill();
  }
}

async function readChunk(folder, name) {
  return { name, text: await readFile(`${folder}.next/${name}`, "utf8") };
}

function sum(files) {
  return files.reduce((total, { text }) => total + gzipSync(text, { level: 9 }).length, 0);
}

function print(what, files) {
  console.log(`${what.padEnd(42)}${String(sum(files)).padStart(8)} bytes gzip in ${files.length} files`);
}
