/** Where hostile code runs: in a page of its own, or in a frame of somebody else's. */

import type { BrowserContext, Frame } from "playwright-core";
import type { Hosts } from "./hosts.js";

/** The listed pages: one on the service's site, the other on another site. */
export const APP = "app.example.test";
export const SHOP = "app.shop.test";
export const SERVICE_HOST = "auth.example.test";

/** What is in the frame; `blob:` stands for a page that the framing page makes. */
interface Inner {
  readonly src: string;
  readonly sandbox?: string;
}

export interface Place {
  readonly name: string;
  readonly top: string;
  readonly inner?: Inner;
}

const SANDBOX = "allow-scripts allow-forms allow-popups";
const DATA = "data:text/html,<!doctype html><title>data</title>";

/** Every place from which nothing may be called. */
export function places(hosts: Hosts): Place[] {
  const [app, shop, other] = [APP, SHOP, "attacker.test"].map((host) => hosts.https(host)) as [string, string, string];
  const [sibling, shopSibling] = [hosts.https("evil.example.test"), hosts.https("evil.shop.test")];
  const framed = (page: string, top: string, sibling: string): Place[] => [
    { name: `a frame of another site in ${page}`, top, inner: { src: other } },
    { name: `a frame of a sibling host in ${page}`, top, inner: { src: sibling } },
    { name: `a sandboxed frame in ${page}`, top, inner: { src: other, sandbox: SANDBOX } },
    { name: `a data: frame in ${page}`, top, inner: { src: DATA } },
  ];
  return [
    { name: "another site", top: other },
    { name: "a sibling host of the service and of the page", top: sibling },
    { name: "a sibling host of the page on another site", top: shopSibling },
    { name: "a sandboxed frame", top: other, inner: { src: other, sandbox: SANDBOX } },
    { name: "a data: frame", top: other, inner: { src: DATA } },
    { name: "a blob: frame", top: other, inner: { src: "blob:" } },
    ...framed("the page", app, sibling),
    ...framed("the page on another site", shop, shopSibling),
    { name: "the page's own host without TLS", top: hosts.http(APP) },
  ];
}

/** Opens the place in a new tab. */
export async function open(context: BrowserContext, { top, inner }: Place): Promise<Frame> {
  const tab = await context.newPage();
  await tab.goto(top);
  if (inner === undefined) return tab.mainFrame();
  const element = await tab.evaluateHandle(async ({ src, sandbox }) => {
    const frame = document.createElement("iframe");
    if (sandbox !== undefined) frame.setAttribute("sandbox", sandbox);
    frame.src =
      src === "blob:"
        ? URL.createObjectURL(new Blob(["<!doctype html><title>blob</title>"], { type: "text/html" }))
        : src;
    const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
    document.body.append(frame);
    await loaded;
    return frame;
  }, inner);
  const frame = await element.contentFrame();
  if (frame === null) throw new Error("the frame has no content");
  return frame;
}
