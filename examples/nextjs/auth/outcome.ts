/** What the service's answers come to in a form: the same words in every mode. */

import { AuthError, messages, type User } from "countersign";
import { type FormState, written } from "./form-state";

/** Says what went wrong; anything but an `AuthError` is a bug, and stays one. */
export function failure(error: unknown, form: FormData): FormState {
  if (!(error instanceof AuthError)) throw error;
  return {
    isError: true,
    reason: error.reason,
    message: messages[error.reason ?? (error.code === "unavailable" ? "UNAVAILABLE" : "INTERNAL")],
    fields: Object.fromEntries(error.fields.map(({ field, description }) => [field, description])),
    values: written(form),
  };
}

/** The answer to "Who am I?". */
export function introduction(user: User | undefined): FormState {
  if (user === undefined) return { message: "Nobody is signed in." };
  return { message: `You are ${user.displayName || "somebody without a name"} (${user.email}).` };
}
