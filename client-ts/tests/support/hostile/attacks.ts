/** Everything by which a page makes a browser send a request, each with what reaches the service, for each call, of it. */

import type { Frame } from "playwright-core";
import { RPCS, type Rpc, type Target } from "./forgeries.js";
import type { Hosts } from "./hosts.js";
import {
  byBeacon,
  byEventSource,
  byFetch,
  byForm,
  byPing,
  bySocket,
  byTag,
  byWindow,
  byXhr,
  type FetchPlan,
} from "./senders.js";

export interface Attack {
  readonly name: string;
  /** Which calls it makes. */
  readonly rpcs: readonly Rpc[];
  /** How each call ends, request by request; empty where the browser sends none. */
  readonly arrives: readonly string[];
  readonly run: (frame: Frame, targets: readonly Target[]) => Promise<unknown>;
}

const WEB = "application/grpc-web+proto";
const ASKED = { "x-grpc-web": "1" };
/** What a page may send without asking (Fetch, “CORS-safelisted request-header”), and two that look like more. */
const UNASKED = [
  "text/plain",
  "text/plain;application/grpc-web+proto",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=application/grpc-web+proto",
];
/** What forms send. */
const ENCTYPES = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"];

const NOT_SENT: readonly string[] = [];
const NOT_GRPC = ["415"];
const NOT_POST = ["405"];
const ONLY_ASKED = ["preflight"];

/** A window or a frame costs a browser far more than a request, and the guard does not look which call it is: so one each. */
const IN_FRAMES: readonly Rpc[] = ["Logout"];
const IN_WINDOWS: readonly Rpc[] = ["Login"];

/** The attacks; the last ones go by way of other hosts. */
export function attacks(hosts: Hosts): Attack[] {
  return [...noCors(), ...cors(), ...beacons(), ...forms(), ...gets(), ...others(hosts), ...redirected(hosts)];
}

function fetched(name: string, arrives: readonly string[], plan: FetchPlan): Attack {
  return { name, rpcs: RPCS, arrives, run: (frame, targets) => frame.evaluate(byFetch, { targets, plan }) };
}

function noCors(): Attack[] {
  const of = (name: string, arrives: readonly string[], plan: FetchPlan) =>
    fetched(`fetch no-cors, ${name}`, arrives, { ...plan, init: { method: "POST", mode: "no-cors", ...plan.init } });
  return [
    of("bytes without a type", NOT_GRPC, { body: "bytes" }),
    ...UNASKED.map((type) => of(type, NOT_GRPC, { body: "bytes", init: { headers: { "content-type": type } } })),
    of(`${WEB} and x-grpc-web`, NOT_GRPC, { body: "bytes", init: { headers: { "content-type": WEB, ...ASKED } } }),
    of(`Blob of ${WEB}`, NOT_GRPC, { body: "blob", type: WEB }),
    of("Blob of application/grpc", NOT_GRPC, { body: "blob", type: "application/grpc" }),
    of("FormData", NOT_GRPC, { body: "form" }),
    of("keepalive", NOT_GRPC, { body: "bytes", init: { keepalive: true } }),
    of("no-referrer", NOT_GRPC, { body: "bytes", init: { referrerPolicy: "no-referrer" } }),
    of("stream", NOT_SENT, { body: "stream" }),
    of("PUT", NOT_SENT, { body: "bytes", init: { method: "PUT" } }),
    of("HEAD", NOT_POST, { init: { method: "HEAD" } }),
    of("GET", NOT_POST, { init: { method: "GET" } }),
  ];
}

function cors(): Attack[] {
  const of = (name: string, arrives: readonly string[], plan: FetchPlan) =>
    fetched(`fetch cors, ${name}`, arrives, { ...plan, init: { method: "POST", ...plan.init } });
  const typed = (type: string) => ({ "content-type": type });
  return [
    of(`${WEB} and x-grpc-web`, ONLY_ASKED, { body: "bytes", init: { headers: { ...typed(WEB), ...ASKED } } }),
    of("the same, keepalive", ONLY_ASKED, {
      body: "bytes",
      init: { headers: { ...typed(WEB), ...ASKED }, keepalive: true },
    }),
    of("the same, without cookies", ONLY_ASKED, {
      body: "bytes",
      init: { headers: { ...typed(WEB), ...ASKED }, credentials: "omit" },
    }),
    of(WEB, ONLY_ASKED, { body: "bytes", init: { headers: typed(WEB) } }),
    of("application/grpc-web-text", ONLY_ASKED, {
      body: "base64",
      init: { headers: typed("application/grpc-web-text") },
    }),
    of("application/grpc", ONLY_ASKED, { body: "bytes", init: { headers: typed("application/grpc") } }),
    of("text/plain and x-grpc-web", ONLY_ASKED, {
      body: "bytes",
      init: { headers: { ...typed("text/plain"), ...ASKED } },
    }),
    of("PUT", ONLY_ASKED, { body: "bytes", init: { method: "PUT" } }),
    of("stream", ONLY_ASKED, { body: "stream" }),
    of("bytes without a type", NOT_GRPC, { body: "bytes" }),
    ...UNASKED.map((type) => of(type, NOT_GRPC, { body: "bytes", init: { headers: typed(type) } })),
    of("GET", NOT_POST, { init: { method: "GET" } }),
    ...[WEB, "text/plain"].map((type) => ({
      name: `XMLHttpRequest, ${type}`,
      rpcs: RPCS,
      arrives: type === WEB ? ONLY_ASKED : NOT_GRPC,
      run: (frame: Frame, targets: readonly Target[]) => frame.evaluate(byXhr, { targets, type }),
    })),
  ];
}

function beacons(): Attack[] {
  const of = (name: string, arrives: readonly string[], plan: FetchPlan): Attack => ({
    name: `sendBeacon, ${name}`,
    rpcs: RPCS,
    arrives,
    run: (frame, targets) => frame.evaluate(byBeacon, { targets, plan }),
  });
  return [
    of("bytes", NOT_GRPC, { body: "bytes" }),
    of("text", NOT_GRPC, { body: "text" }),
    of("FormData", NOT_GRPC, { body: "form" }),
    ...UNASKED.map((type) => of(`Blob of ${type}`, NOT_GRPC, { body: "blob", type })),
    of(`Blob of ${WEB}`, ONLY_ASKED, { body: "blob", type: WEB }),
  ];
}

function forms(): Attack[] {
  const of = (where: string, method: string, enctype: string): Attack => ({
    name: `form in ${where}, ${method === "get" ? "GET" : enctype}`,
    rpcs: where === "a window" ? IN_WINDOWS : IN_FRAMES,
    arrives: method === "get" ? NOT_POST : NOT_GRPC,
    run: (frame, targets) => frame.evaluate(byForm, { targets, where, method, enctype }),
  });
  return ["a frame", "a window"].flatMap((where) => [
    ...ENCTYPES.map((enctype) => of(where, "post", enctype)),
    of(where, "get", ""),
  ]);
}

function gets(): Attack[] {
  const tags = [
    ["img", "src"],
    ["script", "src"],
    ["link", "href"],
    ["iframe", "src"],
    ["video", "src"],
    ["object", "data"],
  ] as const;
  return [
    ...tags.map(([tag, attribute]) => ({
      name: tag,
      rpcs: IN_FRAMES,
      arrives: NOT_POST,
      run: (frame: Frame, targets: readonly Target[]) => frame.evaluate(byTag, { targets, tag, attribute }),
    })),
    {
      name: "window.open",
      rpcs: IN_WINDOWS,
      arrives: NOT_POST,
      run: (frame, targets) => frame.evaluate(byWindow, { targets }),
    },
    {
      name: "EventSource",
      rpcs: IN_FRAMES,
      arrives: NOT_POST,
      run: (frame, targets) => frame.evaluate(byEventSource, { targets }),
    },
    {
      name: "WebSocket",
      rpcs: IN_FRAMES,
      arrives: NOT_POST,
      run: (frame, targets) => frame.evaluate(bySocket, { targets }),
    },
  ];
}

function others({ reporter }: Hosts): Attack[] {
  const reports = { tag: "iframe", attribute: "src" };
  return [
    { name: "a ping", rpcs: RPCS, arrives: NOT_GRPC, run: (frame, targets) => frame.evaluate(byPing, { targets }) },
    {
      name: "CSP report",
      rpcs: IN_FRAMES,
      arrives: NOT_GRPC,
      run: (frame, targets) => frame.evaluate(byTag, { targets: via(reporter, targets), ...reports }),
    },
  ];
}

/** Sent on by 307, with method and body. */
function redirected(hosts: Hosts): Attack[] {
  const noCors = fetched("fetch no-cors, bytes without a type", NOT_GRPC, {
    body: "bytes",
    init: { method: "POST", mode: "no-cors" },
  });
  const asked = { "content-type": WEB, ...ASKED };
  const cors = fetched(`fetch cors, ${WEB} and x-grpc-web`, ONLY_ASKED, {
    body: "bytes",
    init: { method: "POST", headers: asked },
  });
  const form: Attack = {
    name: "form in a window, text/plain",
    rpcs: IN_WINDOWS,
    arrives: NOT_GRPC,
    run: (frame, targets) =>
      frame.evaluate(byForm, { targets, where: "a window", method: "post", enctype: "text/plain" }),
  };
  return [noCors, cors, form].flatMap((attack) => [
    through(hosts.redirector("own"), `${attack.name}, by a 307 of its own`, attack),
    through(hosts.redirector("careless"), `${attack.name}, by a 307 of a listed page's host`, attack),
  ]);
}

function through(redirector: string, name: string, attack: Attack): Attack {
  return { ...attack, name, run: (frame, targets) => attack.run(frame, via(redirector, targets)) };
}

function via(site: string, targets: readonly Target[]): Target[] {
  return targets.map(({ url, body }) => ({ url: `${site}${encodeURIComponent(url)}`, body }));
}
