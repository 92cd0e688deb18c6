/** People for the tests, each with an address of their own, so that no test meets another's. */

import { randomUUID } from "node:crypto";
import { type AuthClient, type AuthClientOptions, AuthError, type AuthStorage, createAuthClient } from "countersign";
import { createNetwork, type Network } from "./network.js";
import { ORIGIN, type Service } from "./service.js";

export type Mode = AuthClientOptions["mode"];
export const MODES = ["cookie", "bearer"] as const satisfies Mode[];

export const PASSWORD = "correct horse battery staple";

/** A client, and its network. */
export interface Device extends AuthClient {
  readonly network: Network;
  readonly storage: AuthStorage;
}

/** A client on a network that a test can spoil. In cookie mode it is a page that the service knows. */
export function createDevice(
  service: Service,
  mode: Mode,
  options: Partial<AuthClientOptions> & { network?: Network } = {},
): Device {
  const {
    network = createNetwork(mode === "cookie" ? ORIGIN : undefined),
    storage = createStorage(),
    ...rest
  } = options;
  const client = createAuthClient({ baseUrl: service.url, mode, fetch: network.fetch, storage, ...rest });
  return { ...client, network, storage };
}

/** A new person, signed in. */
export async function signedIn(service: Service, mode: Mode, options?: Partial<AuthClientOptions>): Promise<Device> {
  const device = createDevice(service, mode, options);
  const email = address();
  await device.session.signUp({ email, password: PASSWORD, displayName: "Ada" });
  await device.session.signIn({ email, password: PASSWORD });
  return device;
}

export function address(): string {
  return `${randomUUID()}@example.com`;
}

/** A storage with the same in it. */
export function createStorage(
  items = new Map<string, string>(),
): AuthStorage & { readonly items: Map<string, string> } {
  return {
    items,
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}

/** What another process with the same in its storage would see. */
export function copyOf(storage: AuthStorage): ReturnType<typeof createStorage> {
  return createStorage(new Map((storage as ReturnType<typeof createStorage>).items));
}

/** What the promise rejects with; anything but an AuthError fails the test. */
export async function refusal(promise: Promise<unknown>): Promise<AuthError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AuthError) return error;
    throw error;
  }
  throw new Error("this was to be refused");
}
