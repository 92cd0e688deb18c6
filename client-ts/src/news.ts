/** Tells the other tabs that somebody signed in or out, so that none goes on showing a page of the wrong person. */

/** Tells the other tabs to look at what is kept. */
export type TellTabs = () => void;

/**
 * Opens the channel of this name, and calls `look` when another tab told something. What was told is never believed: on a
 * server two people's clients may share a channel, but not what they keep.
 */
export function openNews(name: string, look: () => void): TellTabs {
  // The storage may show a change a little later than the channel tells of it; this event comes with the change.
  if (typeof document !== "undefined") {
    addEventListener("storage", ({ key }) => {
      if (key === null || key === name) look();
    });
  }
  if (typeof BroadcastChannel === "undefined") return () => undefined;
  const channel = new BroadcastChannel(name);
  channel.onmessage = look;
  // In Node.js an open channel would keep the process from ending.
  (channel as { unref?: () => void }).unref?.();
  return () => channel.postMessage("changed");
}
