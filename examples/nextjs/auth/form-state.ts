/** What a form knows after it was sent, whether a server action or the browser itself answered it. */

import type { Reason } from "countersign";

/** How the browser calls the service. */
export interface BrowserSettings {
  readonly baseUrl: string;
  readonly mode: "cookie" | "bearer";
}

export interface FormState {
  /** It is done: the page to go on with. */
  readonly goTo?: string;
  /** Whether to keep this document, and what it has in memory, when going there. */
  readonly keepsDocument?: boolean;
  /** What to tell the person. */
  readonly message?: string;
  /** Whether the message is of something that went wrong. */
  readonly isError?: boolean;
  /** Why the service refused. */
  readonly reason?: Reason | undefined;
  /** Whether the same form is to be sent again, with the person's password. */
  readonly asksProof?: boolean;
  /** What is wrong with which field. */
  readonly fields?: Readonly<Record<string, string>>;
  /** What the person had written, but for secrets. */
  readonly values?: Readonly<Record<string, string>>;
  /** What the browser is to keep as a file. */
  readonly download?: string;
}

/** Answers a form, here or on the server. */
export type FormAction = (state: FormState, form: FormData) => Promise<FormState>;

/** A text that a form has sent. */
export function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}

/** What a form has sent that may be shown again. */
export function written(form: FormData): Readonly<Record<string, string>> {
  const shown = ["email", "display_name", "locale"].filter((name) => form.has(name));
  return Object.fromEntries(shown.map((name) => [name, text(form, name)]));
}
