"use server";

import { refresh } from "next/cache";
import { type FormState, text, written } from "./form-state";
import { failure } from "./outcome";
import { account } from "./server";

// What the default mode's account page sends. Whoever is not signed in is refused by the service, as everywhere.

export async function updateProfile(_: FormState, form: FormData): Promise<FormState> {
  return attempt(form, async () => {
    await account.updateProfile({ displayName: text(form, "display_name"), locale: text(form, "locale") });
    return { message: "Saved.", values: written(form) };
  });
}

export async function changeEmail(_: FormState, form: FormData): Promise<FormState> {
  return attempt(form, async () => {
    await account.changeEmail({ email: text(form, "email") });
    return {
      message: "A letter is on its way to the new address. Open its link to go on: until then nothing changes.",
    };
  });
}

export async function changePassword(_: FormState, form: FormData): Promise<FormState> {
  return attempt(form, async () => {
    const [currentPassword, newPassword] = [text(form, "current_password"), text(form, "new_password")];
    await account.changePassword({ currentPassword, newPassword });
    return { message: "You have a new password. All your other sessions are over." };
  });
}

export async function endSessions(_: FormState, form: FormData): Promise<FormState> {
  return attempt(form, async () => {
    const sessionId = text(form, "session");
    if (sessionId !== "") {
      await account.revokeSession({ sessionId });
      return { message: "This session is over." };
    }
    const { ended } = await account.revokeOtherSessions({});
    return { message: ended === 1 ? "One session is over." : `${ended} sessions are over.` };
  });
}

export async function exportAccount(_: FormState, form: FormData): Promise<FormState> {
  return attempt(form, async () => {
    const { json } = await account.exportAccount({});
    return { message: "Your browser has it now.", download: json };
  });
}

export async function deleteAccount(_: FormState, form: FormData): Promise<FormState> {
  return attempt(form, async () => {
    await account.deleteAccount({});
    return { goTo: "/sign-in?done=deleted" };
  });
}

/** Does it, after the proof that the form may have brought along, and shows the page as it is from then on. */
async function attempt(form: FormData, work: () => Promise<FormState>): Promise<FormState> {
  try {
    const password = text(form, "proof");
    if (password !== "") await account.reauthenticate({ password });
    const done = await work();
    refresh();
    return done;
  } catch (error) {
    return refusal(error, form);
  }
}

function refusal(error: unknown, form: FormData): FormState {
  const state = failure(error, form);
  if (state.reason === "BAD_CREDENTIALS")
    return { ...state, message: "This is not your password.", asksProof: form.has("proof") };
  // Nothing went wrong so far: it is asked for what is missing.
  return state.reason === "STEP_UP_REQUIRED" ? { ...state, isError: false, asksProof: true } : state;
}
