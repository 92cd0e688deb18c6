"use client";

import { useEffect, useState } from "react";

/**
 * The secret of the letter's link that this page was opened with. It is in the fragment, which no server and no `Referer` ever
 * gets; here it is taken out of the address too, so that neither the history nor somebody who looks on has it.
 */
export function useLinkToken(): string | undefined {
  const [token, setToken] = useState<string>();
  useEffect(() => {
    const take = () => {
      const found = new URLSearchParams(window.location.hash.slice(1)).get("token");
      if (found === null) return;
      setToken(found);
      // After the router's own effects: from then on it hears of the new address, and does not put the old one back.
      queueMicrotask(() => window.history.replaceState(null, "", window.location.pathname + window.location.search));
    };
    take();
    // Another link to the page that is open already.
    window.addEventListener("hashchange", take);
    return () => window.removeEventListener("hashchange", take);
  }, []);
  return token;
}
