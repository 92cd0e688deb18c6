/** Servers that are not ours: somebody else's page, and a service that sets its cookies in another way. */

import { once } from "node:events";
import { createServer, type RequestListener, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export class Web {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** A site with one page, which is empty. */
  static page(): Promise<Web> {
    return Web.#serve((_, response) => {
      response.setHeader("content-type", "text/html; charset=utf-8");
      response.end("<!doctype html><title>Elsewhere</title>");
    });
  }

  /** The service at this address, but its cookies are not partitioned. */
  static withoutPartitions(service: string): Promise<Web> {
    return Web.#serve((incoming, response) => {
      const { method, headers, url = "" } = incoming;
      const outgoing = request(service + url, { method, headers }, (answer) => {
        const cookies = (answer.headers["set-cookie"] ?? []).map((line) => line.replace("; Partitioned", ""));
        response.writeHead(answer.statusCode ?? 502, {
          ...answer.headers,
          ...(cookies.length > 0 ? { "set-cookie": cookies } : {}),
        });
        answer.pipe(response);
      });
      incoming.pipe(outgoing);
    });
  }

  static async #serve(listener: RequestListener): Promise<Web> {
    const server = createServer(listener).listen(0);
    await once(server, "listening");
    return new Web(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
