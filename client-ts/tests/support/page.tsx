/** What the pages of the browser tests load: the package as a bundler takes it, within reach of the tests. */

import { createClient } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { type AuthClient, type AuthClientOptions, AuthError, createAuthClient } from "countersign";
import { authInterceptor } from "countersign/connect";
import { useSession, useUser } from "countersign/react";
import { createVerifier } from "countersign/verify";
import { createRoot } from "react-dom/client";
import { Health } from "./health.js";

/** The client of this page. */
let client: AuthClient;
let baseUrl: string;

function Greeting() {
  const [state, user] = [useSession(client), useUser(client)];
  return <p>{`${state} ${user?.displayName ?? "nobody"}`}</p>;
}

const bodies: string[] = [];
const locksAtRefresh: (number | undefined)[] = [];

/** As the browser's, but it remembers what a test has to look at. */
const watchedFetch: typeof fetch = async (input, init) => {
  if (String(input).endsWith("/Refresh")) locksAtRefresh.push((await navigator.locks.query()).held?.length);
  const answer = await fetch(input, init);
  bodies.push(await answer.clone().text());
  return answer;
};

/** What a test can do in a page. */
const page = {
  open(options: AuthClientOptions): AuthClient {
    baseUrl = options.baseUrl;
    client = createAuthClient({ ...options, fetch: watchedFetch });
    return client;
  },
  /** The bodies of all answers. */
  bodies,
  /** How many locks were held when a refresh was sent. */
  locksAtRefresh,
  get client(): AuthClient {
    return client;
  },
  /** An AuthError as it can leave the page. */
  async refusal(promise: Promise<unknown>) {
    try {
      await promise;
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      const { code, reason, fields, requestId } = error;
      return { code, reason, fields, hasRequestId: requestId !== undefined };
    }
    throw new Error("this was to be refused");
  },
  /** Resolves when the state is this. */
  async until(state: string): Promise<void> {
    if (client.session.state === state) return;
    await new Promise<void>((resolve) => {
      const end = client.session.subscribe(() => {
        if (client.session.state !== state) return;
        end();
        resolve();
      });
    });
  },
  render(): void {
    createRoot(document.body.appendChild(document.createElement("main"))).render(<Greeting />);
  },
  createVerifier,
  /** What the service says of itself, as it changes, in a call that goes on; each answer is given to a function of the test. */
  async watch(): Promise<void> {
    const transport = createGrpcWebTransport({
      baseUrl,
      fetch: (input, init) => fetch(input, { ...init, credentials: "include" }),
      interceptors: [authInterceptor(client)],
    });
    const { tell } = globalThis as unknown as { tell: (status: number) => void };
    for await (const { status } of createClient(Health, transport).watch({})) tell(status);
  },
};

export type TestPage = typeof page;
Object.assign(globalThis, { page });
