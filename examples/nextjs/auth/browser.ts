"use client";
/** The session in the modes in which the browser itself calls the service. */

import { type AuthClient, createAuthClient } from "countersign";
import { accountActions } from "./account-work";
import { type BrowserSettings, type FormAction, text, written } from "./form-state";
import { digits, ON_ITS_WAY, withoutSecret } from "./letters";
import { failure, introduction } from "./outcome";

let client: AuthClient | undefined;

/** This page's client. On a server nobody is signed in, and it is nobody's for long. */
export function authClient(settings: BrowserSettings): AuthClient {
  if (typeof window === "undefined") return createAuthClient(settings);
  client ??= createAuthClient(settings);
  return client;
}

/** The counterparts of the server actions; `refresh` is to show anew what they may have changed. */
export function browserActions(settings: BrowserSettings, refresh: () => void = () => undefined) {
  const { account, auth, session } = authClient(settings);
  // What is in memory alone is gone with the document.
  const keepsDocument = settings.mode === "bearer";
  const orFailure =
    (action: FormAction): FormAction =>
    (state, form) =>
      action(state, form).catch((error: unknown) => failure(error, form));
  return {
    ...accountActions(account, refresh),
    confirmEmailChange: async (_, form) => {
      try {
        await account.confirmEmailChange({ token: text(form, "token"), code: digits(form) });
        return { goTo: "/account", keepsDocument };
      } catch (error) {
        return withoutSecret(failure(error, form));
      }
    },
    signIn: orFailure(async (_, form) => {
      const [email, password] = [text(form, "email"), text(form, "password")];
      if (form.get("intent") === "resend") {
        await auth.resendVerification({ email });
        return { message: ON_ITS_WAY, values: written(form) };
      }
      await session.signIn({ email, password });
      return { goTo: text(form, "next") || "/me", keepsDocument };
    }),
    signUp: orFailure(async (_, form) => {
      const [email, password, displayName] = [text(form, "email"), text(form, "password"), text(form, "display_name")];
      await session.signUp({ email, password, displayName });
      return { goTo: `/sign-in?welcome=1&next=${encodeURIComponent(text(form, "next") || "/me")}` };
    }),
    signOut: orFailure(async () => {
      await session.signOut();
      // At once: what this form is part of may be gone by now.
      window.location.assign("/");
      return {};
    }),
    whoAmI: orFailure(async () => {
      const answer = session.state === "signed-out" ? undefined : await auth.whoAmI({});
      return introduction(answer?.user);
    }),
  } satisfies Record<string, FormAction>;
}
