/** What an app decides about its client, apart from the code so that every part can take its settings from one place. */

/** Where a client keeps what has to outlive a page: `localStorage`, `sessionStorage`, or anything with these three methods. */
export interface AuthStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/** What a client needs of the browser's Web Locks; `navigator.locks` is one. */
export interface AuthLocks {
  request<T>(name: string, options: { signal: AbortSignal }, callback: () => Promise<T>): Promise<T>;
}

/** Settings of `createAuthClient`. */
export interface AuthClientOptions {
  /** Where the service is reached: `https://auth.example.com`, or a path of the page's own origin. */
  readonly baseUrl: string;
  /**
   * How the session's tokens travel. `"cookie"`: in cookies that no script can read, for pages. `"bearer"`: in messages and
   * the `authorization` header, for apps and for code on a server.
   */
  readonly mode: "cookie" | "bearer";
  /**
   * Cookie mode keeps here that somebody is signed in, which is no secret; by default in `localStorage` where there is one.
   * Bearer mode keeps both tokens here, which any script of the page could read; by default in memory.
   */
  readonly storage?: AuthStorage | undefined;
  /** Called instead of the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** How long one call may take unless it says otherwise; 10,000 by default. */
  readonly timeoutMs?: number | undefined;
  /**
   * Keeps tabs that share a storage from refreshing at once; by default `navigator.locks` where there is one. With `null`
   * they may, and rely on the service giving both the same answer.
   */
  readonly locks?: AuthLocks | null | undefined;
}

/** Settings of a single call. */
export interface CallOptions {
  /** How long it may take, in milliseconds. */
  readonly timeoutMs?: number;
  /** Gives it up; the promise then rejects with the code `"canceled"`. */
  readonly signal?: AbortSignal;
}
