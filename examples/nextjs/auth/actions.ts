"use server";

import { safePath } from "countersign/next";
import { type FormState, text } from "./form-state";
import { failure, introduction } from "./outcome";
import * as auth from "./server";

// Anybody can call these, from anywhere and with anything: each checks what it is given.

export async function signIn(_: FormState, form: FormData): Promise<FormState> {
  try {
    await auth.signIn({ email: text(form, "email"), password: text(form, "password") });
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
