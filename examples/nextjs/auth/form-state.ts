/** What a form knows after it was sent, whether a server action or the browser itself answered it. */

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
  /** What is wrong with which field. */
  readonly fields?: Readonly<Record<string, string>>;
  /** What the person had written, but for the password. */
  readonly values?: Readonly<Record<string, string>>;
}

/** Answers a form, here or on the server. */
export type FormAction = (state: FormState, form: FormData) => Promise<FormState>;

/** A text that a form has sent. */
export function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value : "";
}
