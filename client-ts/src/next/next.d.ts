/**
 * What this package uses of Next.js, so that building it needs no copy of it. `examples/nextjs` compiles and runs against the
 * real one.
 */

declare module "next/headers.js" {
  interface CookieStore {
    get(name: string): { readonly value: string } | undefined;
    set(cookie: import("./cookies.js").Cookie): unknown;
  }
  export function cookies(): Promise<CookieStore>;
  export function headers(): Promise<{ get(name: string): string | null }>;
}

declare module "next/navigation" {
  export function redirect(path: string): never;
}

declare module "next/server.js" {
  export class NextResponse extends Response {
    readonly cookies: { set(cookie: import("./cookies.js").Cookie): unknown };
    static next(init: { readonly request: { readonly headers: Headers } }): NextResponse;
    static redirect(url: string, status: number): NextResponse;
  }
}
