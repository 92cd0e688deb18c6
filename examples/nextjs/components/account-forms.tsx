"use client";
/** The forms of signing up, in and out: the same in every mode, whoever carries out the action. */

import type { FormAction, FormState } from "../auth/form-state";
import { Field } from "./field";
import { Form } from "./form";
import { ResendButton } from "./letter-forms";
import { NewPasswordField } from "./new-password";

export interface FormOf {
  readonly action: FormAction;
  /** Where to go on afterwards. */
  readonly next?: string;
  /** What to say before anything was sent. */
  readonly message?: string;
}

export function SignInForm({ next = "/me", ...form }: FormOf) {
  return (
    <Form next={next} submit="Sign in" pending="Signing in…" more={ResendIfUnconfirmed} {...form}>
      {(state) => (
        <>
          <Field
            name="email"
            label="Email"
            type="email"
            autoComplete="username"
            inputMode="email"
            required
            state={state}
          />
          <Field
            name="password"
            label="Password"
            type="password"
            autoComplete="current-password"
            required
            state={state}
          />
        </>
      )}
    </Form>
  );
}

/** For who has the right password, and has lost the letter. */
function ResendIfUnconfirmed(state: FormState) {
  return state.reason === "EMAIL_UNVERIFIED" ? ResendButton(state) : null;
}

export function SignUpForm({ next = "/me", ...form }: FormOf) {
  return (
    <Form next={next} submit="Create account" pending="Creating account…" {...form}>
      {(state) => (
        <>
          <Field name="display_name" label="Name" autoComplete="name" maxLength={100} state={state} />
          <Field
            name="email"
            label="Email"
            type="email"
            autoComplete="username"
            inputMode="email"
            required
            state={state}
          />
          <NewPasswordField name="password" label="Password" state={state} />
        </>
      )}
    </Form>
  );
}

export function SignOutForm({ action }: FormOf) {
  return <Form action={action} className="inline" submit="Sign out" pending="Signing out…" />;
}

/** The second button of the home page: asks, and shows the answer beside itself. */
export function WhoAmIForm({ action }: FormOf) {
  return <Form action={action} className="ask" submit="Who am I?" pending="Asking…" />;
}
