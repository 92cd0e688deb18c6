/** Signing keys that change again and again while people come and go: nobody is refused whose key still counts. */

import { createFollowingVerifier } from "countersign/feed";
import { createVerifier } from "countersign/verify";
import { createBackend } from "./backend.js";
import { AUDIENCE, ISSUER } from "./issuer.js";
import { type Device, signedIn } from "./people.js";
import { Service } from "./service.js";

const PEOPLE = 4;
/** As a real key is published for two hours, it is here for longer than a verifier waits between two questions, and less than a
 * token lives. */
const LEAD_S = 241;

/** What came of it. */
export interface Report {
  readonly rotations: number;
  /** How many tokens were verified meanwhile. */
  readonly verified: number;
  /** Who refused a token that counted, and why. */
  readonly falselyRefused: readonly string[];
  /** From the acknowledgement of each revocation until who listens refused what the key had signed, in milliseconds, sorted. */
  readonly took: readonly number[];
}

/** Publishes a key so often, lets it sign by revoking the one before, and not more often than that. */
export async function rotateUnderLoad(rotations: number, everyMs: number): Promise<Report> {
  const service = await Service.startWithClock({ COUNTERSIGN_SERVER__PUBLIC_URL: ISSUER });
  let ahead = 0;
  const keysUrl = `${service.url}/.well-known/countersign/keys`;
  const own = { keysUrl, issuer: ISSUER, audience: AUDIENCE, clock: () => Date.now() + ahead * 1000 };
  const backendKey = await createBackend(service);
  // The clock leaps, and for a moment what was heard is as old as the leap; of keys it is told all the same.
  const feed = { backendKey, serviceUrl: service.url, onStale: { allowForMs: 2 * LEAD_S * 1000 } };
  const listener = createFollowingVerifier({ ...own, feed });
  const verifiers = { listener, loner: createVerifier(own) };
  const revoked = new Set<string>();
  const falselyRefused: string[] = [];
  const rounds: number[] = [];
  let verified = 0;
  let isOver = false;

  async function comeAndGo(device: Device, person: number): Promise<void> {
    while (!isOver) {
      await device.auth.whoAmI({});
      const token = (await device.session.credential()?.renew())?.token ?? "";
      for (const [name, { verify }] of Object.entries(verifiers)) {
        await verify(token).catch((error: Error) => {
          const { kid, exp } = read(token);
          if (!revoked.has(kid) && own.clock() < exp) falselyRefused.push(`${name}: ${error.message}`);
        });
        verified += 1;
      }
      rounds[person] = (rounds[person] ?? 0) + 1;
    }
  }

  try {
    while (listener.revocationsAge() > 5_000) await moment();
    const devices = await Promise.all(Array.from({ length: PEOPLE }, () => signedIn(service, "bearer")));
    const coming = Promise.all(devices.map(comeAndGo));
    // Heard of at the end.
    coming.catch(() => undefined);
    const witness = await signedIn(service, "bearer");
    const took: number[] = [];
    for (let round = 0; round < rotations; round += 1) {
      const began = performance.now();
      await witness.auth.whoAmI({});
      const token = (await witness.session.credential()?.renew())?.token ?? "";
      // Each has a token of the present hour: one that is older would rightly be refused.
      const before = [...rounds];
      while (!isOver && devices.some((_, person) => (rounds[person] ?? 0) < (before[person] ?? 0) + 2)) {
        await Promise.race([moment(), coming]);
      }
      await service.run("key", "rotate");
      while (!(await (await fetch(keysUrl)).text()).includes('"next"')) await moment();
      ahead += LEAD_S;
      await service.advance(LEAD_S);
      await listener.verify(token);
      revoked.add(read(token).kid);
      await service.run("key", "revoke", read(token).kid);
      const acknowledged = performance.now();
      while (await passes(listener, token)) await moment();
      took.push(performance.now() - acknowledged);
      await new Promise((resolve) => setTimeout(resolve, began + everyMs - performance.now()));
    }
    isOver = true;
    await coming;
    return { rotations, verified, falselyRefused, took: took.sort((a, b) => a - b) };
  } finally {
    isOver = true;
    listener.close();
    await service.remove();
  }
}

const moment = () => new Promise((resolve) => setTimeout(resolve, 2));

function passes({ verify }: { verify(token: string): Promise<unknown> }, token: string): Promise<boolean> {
  return verify(token).then(
    () => true,
    () => false,
  );
}

/** What a token says of itself, believed as it is. */
function read(token: string): { readonly kid: string; readonly exp: number } {
  const [, , body = "", footer = ""] = token.split(".");
  const { kid } = JSON.parse(Buffer.from(footer, "base64url").toString()) as { kid: string };
  const payload = Buffer.from(body, "base64url").subarray(0, -64).toString();
  return { kid, exp: Date.parse((JSON.parse(payload) as { exp: string }).exp) };
}
