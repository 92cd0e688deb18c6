/** Keeps what this client knows of its session where other tabs see it too, so that each sees what another has renewed. */

import type { AuthStorage } from "./options.js";

/** What is kept of a session. In cookie mode nothing in it is secret. */
export interface Kept {
  /** The session's id: what was begun in one session must not go on in another. */
  readonly session: string;
  /** How often the session was renewed: a call that failed in an earlier turn is repeated, not refreshed for. */
  readonly turn: number;
  /** The tokens; absent in cookie mode. */
  readonly access?: string | undefined;
  readonly refresh?: string | undefined;
}

/** The place for one session. */
export interface Vault {
  read(): Kept | undefined;
  write(kept: Kept): void;
  clear(): void;
  /** What the device is known by at the next sign-in, whoever it is that signs in; absent in cookie mode. */
  device(): string | undefined;
  remember(device: string): void;
}

/** A vault in this storage, for the service at this address. */
export function createVault(storage: AuthStorage, key: string): Vault {
  // A storage may be full. What it did not take is kept here: a refresh token that is lost cannot be had again.
  let unsaved: { readonly kept: Kept; readonly beside: string | null } | undefined;
  return {
    read() {
      const text = storage.getItem(key);
      if (unsaved?.beside === text) return unsaved.kept;
      // Another tab has written since.
      unsaved = undefined;
      return parse(text);
    },
    write(kept) {
      unsaved = undefined;
      try {
        storage.setItem(key, JSON.stringify(kept));
      } catch {
        unsaved = { kept, beside: storage.getItem(key) };
      }
    },
    clear() {
      unsaved = undefined;
      storage.removeItem(key);
    },
    device: () => storage.getItem(`${key} device`) ?? undefined,
    remember(device) {
      try {
        storage.setItem(`${key} device`, device);
      } catch {
        // The device is not known again, and the person is told of it: no more than that.
      }
    },
  };
}

/** Whether nothing was renewed, opened or ended between the two. */
export function isSameTurn(one: Kept | undefined, other: Kept | undefined): boolean {
  return one?.session === other?.session && one?.turn === other?.turn;
}

/** The text is whatever lies in the storage: an older version's, or somebody's experiment. */
function parse(text: string | null): Kept | undefined {
  if (text === null) return undefined;
  try {
    const { session, turn, access, refresh } = JSON.parse(text) as Record<keyof Kept, unknown>;
    if (typeof session !== "string" || typeof turn !== "number") return undefined;
    return { session, turn, access: textOrNothing(access), refresh: textOrNothing(refresh) };
  } catch {
    return undefined;
  }
}

function textOrNothing(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
