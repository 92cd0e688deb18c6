"use server";

import { type FormState, text, written } from "./form-state";
import { digits, ON_ITS_WAY, withoutSecret } from "./letters";
import { failure } from "./outcome";
import { account, auth } from "./server";

// Nobody has to be signed in for these but for the last, which is the default mode's. A letter's link is a page that does nothing until its form is sent:
// mail programs and scanners open links as well.

export async function verifyEmail(_: FormState, form: FormData): Promise<FormState> {
  const email = text(form, "email");
  try {
    if (form.get("intent") === "resend") {
      await auth.resendVerification({ email });
      return { message: ON_ITS_WAY, values: written(form) };
    }
    await auth.verifyEmail({ token: text(form, "token"), email, code: digits(form) });
    return { goTo: "/sign-in?done=verified" };
  } catch (error) {
    return withoutSecret(failure(error, form));
  }
}

export async function requestPasswordReset(_: FormState, form: FormData): Promise<FormState> {
  try {
    await auth.requestPasswordReset({ email: text(form, "email") });
    return { message: ON_ITS_WAY, values: written(form) };
  } catch (error) {
    return failure(error, form);
  }
}

export async function resetPassword(_: FormState, form: FormData): Promise<FormState> {
  const [token, email, newPassword] = [text(form, "token"), text(form, "email"), text(form, "new_password")];
  try {
    await auth.resetPassword({ token, email, code: digits(form), newPassword });
    return { goTo: "/sign-in?done=reset" };
  } catch (error) {
    return withoutSecret(failure(error, form));
  }
}

export async function confirmEmailChange(_: FormState, form: FormData): Promise<FormState> {
  try {
    await account.confirmEmailChange({ token: text(form, "token"), code: digits(form) });
    return { goTo: "/account" };
  } catch (error) {
    return withoutSecret(failure(error, form));
  }
}
