/** What the service says, in its own log, about each request to an RPC: how it ended, and whether it got past the guard. */

/** `preflight`, a status by which the guard refuses, `refused` for a page that may not call; else a gRPC code: the call went on to its handler. */
export interface Outcome {
  readonly rpc: string;
  readonly outcome: string;
}

const NOT_PAST_THE_GUARD = new Set(["preflight", "405", "415", "refused"]);
const SERVICE = "/countersign.v1.AuthService/";
/** No measure of anything: only so that a test that waits in vain ends. */
const PATIENCE = 60_000;

/** Whether the request went on to its handler. */
export function ran({ outcome }: Outcome): boolean {
  return !NOT_PAST_THE_GUARD.has(outcome);
}

/** Listens to the log of a service whose level is `debug` and whose format is `json`. */
export class Outcomes {
  readonly #refused = new Set<string>();
  #heard: Outcome[] = [];
  #wake = (): void => undefined;

  /** Takes in a line of the log. */
  hear(line: string): void {
    if (!line.startsWith("{")) return;
    const { message, code, status, span } = JSON.parse(line);
    if (!span?.path?.startsWith(SERVICE)) return;
    if (message === "refused: cross-site request") this.#refused.add(span.id);
    if (message !== "answered") return;
    const outcome = this.#refused.has(span.id) ? "refused" : (code ?? (status === 200 ? "preflight" : `${status}`));
    this.#heard.push({ rpc: span.path.slice(SERVICE.length), outcome });
    this.#wake();
  }

  /** Waits until so many requests have been answered, and takes all that were. */
  async take(count: number, what: string): Promise<Outcome[]> {
    let late: NodeJS.Timeout | undefined;
    const inVain = new Promise<never>((_, reject) => {
      late = setTimeout(
        () => reject(new Error(`${what}: of ${count} requests came ${JSON.stringify(this.#heard)}`)),
        PATIENCE,
      );
    });
    try {
      while (this.#heard.length < count)
        await Promise.race([inVain, new Promise<void>((resolve) => (this.#wake = resolve))]);
    } finally {
      clearTimeout(late);
    }
    const heard = this.#heard;
    this.#heard = [];
    return heard;
  }
}
