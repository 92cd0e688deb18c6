/** What the account page's forms do, whoever calls the service for them: the app's server, or the browser itself. */

import type { AccountCalls } from "countersign";
import { type FormAction, type FormState, text, written } from "./form-state";
import { failure } from "./outcome";

export type AccountActions = ReturnType<typeof accountActions>;

/** The actions by these calls. `refresh` is to show the page as it is by then. */
export function accountActions(account: AccountCalls, refresh: () => void) {
  /** Does it, after the proof that the form may have brought along. */
  function attempt(work: (form: FormData) => Promise<FormState>): FormAction {
    return async (_, form) => {
      try {
        const password = text(form, "proof");
        if (password !== "") await account.reauthenticate({ password });
        const done = await work(form);
        refresh();
        return done;
      } catch (error) {
        return refusal(error, form);
      }
    };
  }

  return {
    updateProfile: attempt(async (form) => {
      await account.updateProfile({ displayName: text(form, "display_name"), locale: text(form, "locale") });
      return { message: "Saved.", values: written(form) };
    }),
    changeEmail: attempt(async (form) => {
      await account.changeEmail({ email: text(form, "email") });
      return {
        message: "A letter is on its way to the new address. Open its link to go on: until then nothing changes.",
      };
    }),
    changePassword: attempt(async (form) => {
      const [currentPassword, newPassword] = [text(form, "current_password"), text(form, "new_password")];
      await account.changePassword({ currentPassword, newPassword });
      return { message: "You have a new password. All your other sessions are over." };
    }),
    endSessions: attempt(async (form) => {
      const sessionId = text(form, "session");
      if (sessionId !== "") {
        await account.revokeSession({ sessionId });
        return { message: "This session is over." };
      }
      const { ended } = await account.revokeOtherSessions({});
      return { message: ended === 1 ? "One session is over." : `${ended} sessions are over.` };
    }),
    exportAccount: attempt(async () => {
      const { json } = await account.exportAccount({});
      return { message: "Your browser has it now.", download: json };
    }),
    deleteAccount: attempt(async () => {
      await account.deleteAccount({});
      return { goTo: "/sign-in?done=deleted" };
    }),
  };
}

function refusal(error: unknown, form: FormData): FormState {
  const state = failure(error, form);
  if (state.reason === "BAD_CREDENTIALS")
    return { ...state, message: "This is not your password.", asksProof: form.has("proof") };
  // Nothing went wrong so far: it is asked for what is missing.
  return state.reason === "STEP_UP_REQUIRED" ? { ...state, isError: false, asksProof: true } : state;
}
