/** A fetch that the tests can look into and spoil, since what went over the wire is what they are about. */

/** One call that was made. */
export interface Sent {
  /** The RPC: `WhoAmI`. */
  readonly rpc: string;
  readonly headers: Headers;
  /** The answer's bytes, as text; once it is there. */
  body: string;
}

/** What stands between a client and the service. */
export interface Network {
  readonly fetch: typeof globalThis.fetch;
  readonly sent: Sent[];
  /** How often this RPC was called. */
  count(rpc: string): number;
  /** From now on answers calls with the token that was used last as the service does when it has expired. */
  expire(): void;
  /** The same for every token, old and new. */
  expireAll(): void;
  /** Ends that. */
  recover(): void;
  /** Runs before a call is sent; may wait, or throw as fetch does. */
  before: (rpc: string, signal: AbortSignal | null | undefined) => Promise<void>;
  /** Runs when the answer is there, before the client has it. */
  after: (rpc: string) => Promise<void>;
}

/** A network without cookies, or that of a browser on the page of this origin. */
export function createNetwork(origin?: string): Network {
  const cookies = new Map<string, string>();
  const expired = new Set<string>();
  let latest = "";
  let allExpired = false;

  const network: Network = {
    sent: [],
    count: (rpc) => network.sent.filter((sent) => sent.rpc === rpc).length,
    expire: () => void expired.add(latest),
    expireAll() {
      allExpired = true;
    },
    recover() {
      allExpired = false;
    },
    before: () => Promise.resolve(),
    after: () => Promise.resolve(),
    async fetch(input, init) {
      const url = String(input);
      const headers = new Headers(init?.headers);
      if (origin !== undefined) headers.set("origin", origin);
      if (origin !== undefined && init?.credentials === "include" && cookies.size > 0) {
        headers.set("cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
      }
      const rpc = url.slice(url.lastIndexOf("/") + 1);
      const sent: Sent = { rpc, headers, body: "" };
      network.sent.push(sent);
      await network.before(rpc, init?.signal);

      const credential = headers.get("authorization") ?? /access=[^;]*/.exec(headers.get("cookie") ?? "")?.[0];
      if (["WhoAmI", "GetAccount"].includes(rpc) && credential !== undefined) {
        latest = credential;
        if (allExpired || expired.has(credential)) return tokenExpired();
      }
      const answer = await fetch(url, { ...init, headers });
      if (origin !== undefined && init?.credentials === "include") take(cookies, answer.headers.getSetCookie());
      const bytes = await answer.arrayBuffer();
      sent.body = Buffer.from(bytes).toString("latin1");
      await network.after(rpc);
      return new Response(bytes, answer);
    },
  };
  return network;
}

function take(cookies: Map<string, string>, lines: string[]): void {
  for (const line of lines) {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (/max-age=0/i.test(line)) cookies.delete(name);
    else cookies.set(name, value);
  }
}

/** What the service answers, byte for byte: a google.rpc.Status with an ErrorInfo. */
export function tokenExpired(): Response {
  const info = message([1, "TOKEN_EXPIRED"], [2, "countersign"]);
  const any = message([1, "type.googleapis.com/google.rpc.ErrorInfo"], [2, info]);
  const status = Buffer.concat([Buffer.from([8, 16]), message([2, "expired"], [3, any])]);
  return new Response(null, {
    headers: {
      "content-type": "application/grpc-web+proto",
      "grpc-status": "16",
      "grpc-message": "expired",
      "grpc-status-details-bin": status.toString("base64").replace(/=+$/, ""),
    },
  });
}

/** Length-delimited fields of fewer than 128 bytes. */
function message(...fields: [number, string | Buffer][]): Buffer {
  return Buffer.concat(
    fields.flatMap(([id, value]) => [Buffer.from([(id << 3) | 2, value.length]), Buffer.from(value)]),
  );
}
