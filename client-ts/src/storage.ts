/** Finds a place to keep things, since `localStorage` may be missing, forbidden or full, and none of that may break a page. */

import type { AuthClientOptions, AuthStorage } from "./options.js";

/** A storage, and whether another tab or client can see it. */
export interface Place {
  readonly storage: AuthStorage;
  readonly shared: boolean;
}

/** The storage that the app named, or the mode's own. */
export function findPlace(options: AuthClientOptions): Place {
  const storage = options.storage ?? (options.mode === "cookie" ? localStorageIfAllowed() : undefined);
  return storage === undefined ? { storage: memory(), shared: false } : { storage, shared: true };
}

function localStorageIfAllowed(): AuthStorage | undefined {
  // Node.js 22 and later have a `localStorage` that is a file, or a warning.
  if (typeof document === "undefined") return undefined;
  try {
    const probe = "countersign probe";
    localStorage.setItem(probe, "");
    localStorage.removeItem(probe);
    return localStorage;
  } catch {
    return undefined;
  }
}

function memory(): AuthStorage {
  const items = new Map<string, string>();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  };
}
