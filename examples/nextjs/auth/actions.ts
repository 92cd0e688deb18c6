"use server";

import { safePath } from "countersign/next";
import { type FormState, text, written } from "./form-state";
import { ON_ITS_WAY } from "./letters";
import { failure, introduction } from "./outcome";
import * as auth from "./server";

// Anybody can call these, from anywhere and with anything: each checks what it is given.

export async function signIn(_: FormState, form: FormData): Promise<FormState> {
  const [email, password] = [text(form, "email"), text(form, "password")];
  try {
    if (form.get("intent") === "resend") {
      await auth.auth.resendVerification({ email });
      return { message: ON_ITS_WAY, values: written(form) };
    }
    await auth.signIn({ email, password });
    return { goTo: safePath(form.get("next"), "/me") };
  } catch (error) {
    return failure(error, form);
  }
}

export async function signUp(_: FormState, form: FormData): Promise<FormState> {
  const [email, password, displayName] = [text(form, "email"), text(form, "password"), text(form, "display_name")];
  try {
    await auth.signUp({ email, password, displayName });
    return { goTo: `/sign-in?welcome=1&next=${encodeURIComponent(safePath(form.get("next"), "/me"))}` };
  } catch (error) {
    return failure(error, form);
  }
}

export async function whoAmI(_: FormState, form: FormData): Promise<FormState> {
  try {
    return introduction((await auth.getSession())?.user);
  } catch (error) {
    return failure(error, form);
  }
}
