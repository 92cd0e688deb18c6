/** What runs in the hostile page: each of these is sent there as text, so it can use nothing but its argument. */

import type { Target } from "./forgeries.js";

/** What a fetch or a beacon sends, and how. */
export interface FetchPlan {
  readonly init?: Pick<RequestInit, "method" | "mode" | "credentials" | "keepalive" | "referrerPolicy"> & {
    headers?: Record<string, string>;
  };
  readonly body?: "bytes" | "text" | "base64" | "blob" | "form" | "stream";
  /** Of a blob. */
  readonly type?: string;
}

type Plan = { targets: readonly Target[]; plan: FetchPlan };

export async function byFetch({ targets, plan }: Plan): Promise<void> {
  const bytes = (body: string) => Uint8Array.from(body, (char) => char.charCodeAt(0));
  const make = (body: string): BodyInit | null => {
    if (plan.body === "bytes") return bytes(body);
    if (plan.body === "text") return body;
    if (plan.body === "base64") return btoa(body);
    if (plan.body === "blob") return new Blob([bytes(body)], { type: plan.type ?? "" });
    if (plan.body === "stream") return new Blob([bytes(body)]).stream();
    if (plan.body === undefined) return null;
    const form = new FormData();
    form.set(body, "x");
    return form;
  };
  const duplex = plan.body === "stream" ? { duplex: "half" } : {};
  const send = ({ url, body }: Target) =>
    fetch(url, { credentials: "include", ...duplex, ...plan.init, body: make(body) });
  // Some calls are refused by the browser, and then throw at once.
  await Promise.allSettled(targets.map(async (target) => send(target)));
}

export async function byXhr({ targets, type }: { targets: readonly Target[]; type: string }): Promise<void> {
  for (const { url, body } of targets) {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.withCredentials = true;
    request.setRequestHeader("content-type", type);
    request.send(Uint8Array.from(body, (char) => char.charCodeAt(0)));
  }
}

export function byBeacon({ targets, plan }: Plan): void {
  const bytes = (body: string) => Uint8Array.from(body, (char) => char.charCodeAt(0));
  const make = (body: string): BodyInit => {
    if (plan.body === "text") return body;
    if (plan.body === "blob") return new Blob([bytes(body)], { type: plan.type ?? "" });
    if (plan.body === "bytes") return bytes(body);
    const form = new FormData();
    form.set(body, "x");
    return form;
  };
  for (const { url, body } of targets) navigator.sendBeacon(url, make(body));
}

/** One field, named so that what a form of `text/plain` sends, `name=x` and a line end, is the very call. */
export function byForm({
  targets,
  where,
  method,
  enctype,
}: {
  targets: readonly Target[];
  where: string;
  method: string;
  enctype: string;
}): void {
  for (const { url, body } of targets) {
    const form = document.createElement("form");
    const field = document.createElement("input");
    // A new one each time: one that is still busy with what came before may lose what comes now.
    form.target = where === "a window" ? "_blank" : `frame ${document.forms.length}`;
    if (where === "a frame")
      document.body.append(Object.assign(document.createElement("iframe"), { name: form.target }));
    Object.assign(field, { type: "hidden", name: body.slice(0, -"=x\r\n".length), value: "x" });
    Object.assign(form, { action: url, method, enctype });
    form.append(field);
    document.body.append(form);
    form.submit();
  }
}

export function byTag({
  targets,
  tag,
  attribute,
}: {
  targets: readonly Target[];
  tag: string;
  attribute: string;
}): void {
  for (const { url } of targets) {
    const element = document.createElement(tag);
    if (tag === "link") element.setAttribute("rel", "stylesheet");
    element.setAttribute(attribute, url);
    document.body.append(element);
  }
}

export function byWindow({ targets }: { targets: readonly Target[] }): void {
  for (const { url } of targets) window.open(url);
}

export function byEventSource({ targets }: { targets: readonly Target[] }): void {
  for (const { url } of targets) {
    const source = new EventSource(url, { withCredentials: true });
    source.onerror = () => source.close();
  }
}

export function bySocket({ targets }: { targets: readonly Target[] }): void {
  for (const { url } of targets) new WebSocket(url.replace("https:", "wss:"));
}

export function byPing({ targets }: { targets: readonly Target[] }): void {
  const link = Object.assign(document.createElement("a"), { href: "#", ping: targets.map(({ url }) => url).join(" ") });
  document.body.append(link);
  link.click();
}
