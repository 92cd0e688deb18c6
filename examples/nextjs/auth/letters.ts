/** What to tell people about the letters that are sent to them. */

import { type FormState, text } from "./form-state";

/** The same whether there is an account or not, as is the service's own answer. */
export const ON_ITS_WAY = "If there is such an account, a letter is on its way. It may take a minute.";

const USED_UP =
  "This link or code is not good, or not any more: it may have been used, replaced by a newer one, or be too old. Please ask for a new letter.";

/** Says of a letter's secret that it is not good; one that a mail program has cut short is no field that can be mended. */
export function withoutSecret(state: FormState): FormState {
  const { token, ...fields } = state.fields ?? {};
  if (state.reason !== "CODE_INVALID" && token === undefined) return state;
  return { ...state, reason: "CODE_INVALID", message: USED_UP, fields };
}

/** The digits, as the letter has them, or with the spaces that people put in between. */
export function digits(form: FormData): string {
  return text(form, "code").replace(/\s/g, "");
}
