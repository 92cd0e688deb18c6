/** The hosts of the tests, good and bad, on one port with TLS and another without: whatever is asked for, it is an empty page. */

import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** For Chromium: every name below `.test` is this machine, and has the certificate below. */
export const FLAGS = ["--host-resolver-rules=MAP *.test 127.0.0.1", "--ignore-certificate-errors"];

/** A certificate and its key, in files. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** All hosts below `.test`. */
export class Hosts {
  readonly #folder: string;
  readonly #secure: Server;
  readonly #plain: Server;
  readonly files: Certificate;

  private constructor(folder: string, files: Certificate, secure: Server) {
    this.#folder = folder;
    this.files = files;
    this.#secure = secure;
    this.#plain = createPlainServer(answer);
  }

  static async start(): Promise<Hosts> {
    const folder = await mkdtemp(join(tmpdir(), "countersign-hosts-"));
    const files = { certificate: join(folder, "certificate.pem"), key: join(folder, "key.pem") };
    const made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
    const named = [
      "-subj",
      "/CN=example.test",
      "-addext",
      "subjectAltName=DNS:*.example.test,DNS:*.shop.test,DNS:*.test",
    ];
    await promisify(execFile)("openssl", ["req", ...made, ...named, "-keyout", files.key, "-out", files.certificate]);
    const pair = { cert: await readFile(files.certificate), key: await readFile(files.key) };
    const hosts = new Hosts(folder, files, createServer(pair, answer));
    for (const server of [hosts.#secure, hosts.#plain]) await once(server.listen(0, "127.0.0.1"), "listening");
    return hosts;
  }

  /** The origin of a host, in TLS. */
  https(host: string): string {
    return `https://${host}:${(this.#secure.address() as AddressInfo).port}`;
  }

  /** The same in the clear. */
  http(host: string): string {
    return `http://${host}:${(this.#plain.address() as AddressInfo).port}`;
  }

  /** What takes a request in, and sends it on by 307; `careless` is a listed page's. */
  redirector(whose: "own" | "careless"): string {
    return `${this.https(whose === "own" ? "attacker.test" : "app.example.test")}/307?to=`;
  }

  /** A page whose browser reports to where it says. */
  get reporter(): string {
    return `${this.https("attacker.test")}/report?to=`;
  }

  async stop(): Promise<void> {
    for (const server of [this.#secure, this.#plain]) {
      server.closeAllConnections();
      await once(server.close(), "close");
    }
    await rm(this.#folder, { recursive: true });
  }
}

/** `/307?to=` sends elsewhere, with method and body, whoever asks; `/report?to=` is a page whose browser reports there. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "", "https://x.test");
  const to = url.searchParams.get("to") ?? "";
  request.resume();
  response.setHeader("content-type", "text/html; charset=utf-8");
  if (url.pathname === "/307") {
    response.setHeader("access-control-allow-origin", request.headers.origin ?? "*");
    response.setHeader("access-control-allow-credentials", "true");
    response.setHeader("access-control-allow-headers", "content-type, x-grpc-web");
    if (request.method === "OPTIONS") response.end();
    else response.writeHead(307, { location: to }).end();
  } else if (url.pathname === "/report") {
    response.setHeader("content-security-policy", `img-src 'none'; report-uri ${to}`);
    response.end("<!doctype html><title>reports</title><img src=/image>");
  } else {
    response.end("<!doctype html><title>page</title>");
  }
}
