"use client";
/** The forms that letters lead to: by the link, or by the digits for those who read their mail elsewhere. */

import Link from "next/link";
import type { FormAction, FormState } from "../auth/form-state";
import { Field } from "./field";
import { Form } from "./form";
import { useLinkToken } from "./link-token";
import { NewPasswordField } from "./new-password";

export function VerifyEmailForm({ action }: { readonly action: FormAction }) {
  const token = useLinkToken();
  return (
    <Form action={action} submit="Confirm this address" pending="Confirming…" more={ResendButton}>
      {(state) => (
        <Secret state={state} token={token}>
          Press the button to confirm that this address is yours. Opening the link alone has done nothing.
        </Secret>
      )}
    </Form>
  );
}

export function ResetPasswordForm({ action }: { readonly action: FormAction }) {
  const token = useLinkToken();
  return (
    <Form action={action} submit="Change the password" pending="Changing…">
      {(state) => (
        <>
          <Secret state={state} token={token}>
            This ends every session of yours, on all devices.
          </Secret>
          <NewPasswordField name="new_password" label="New password" state={state} />
        </>
      )}
    </Form>
  );
}

export function ConfirmEmailChangeForm({ action }: { readonly action: FormAction }) {
  const token = useLinkToken();
  return (
    <Form action={action} submit="Use this address" pending="Confirming…">
      {(state) => (
        <Secret state={state} token={token} isCaller>
          Press the button to make this the address of your account.
        </Secret>
      )}
    </Form>
  );
}

/** For who is not signed in: asks to by a link, as being sent there would take the secret along in the address. */
export function SignInFirst() {
  useLinkToken();
  return (
    <p>
      <Link href="/sign-in?next=%2Fchange-email">Sign in</Link> first. Then open the link in the letter once more, or
      type its code.
    </p>
  );
}

export function ForgotPasswordForm({ action }: { readonly action: FormAction }) {
  return (
    <Form action={action} submit="Send me a letter" pending="Sending…">
      {(state) => <EmailField state={state} />}
    </Form>
  );
}

/** Sends the same form to have another letter instead. */
export function ResendButton(state: FormState) {
  if (state.reason === undefined && state.message === undefined) return null;
  return (
    <button type="submit" name="intent" value="resend" className="button">
      Send the letter again
    </button>
  );
}

interface SecretProps {
  readonly state: FormState;
  readonly token: string | undefined;
  /** Whether the service knows by the session whose the digits are. */
  readonly isCaller?: boolean;
  /** What to say to who came by the link. */
  readonly children: string;
}

/** What the letter has: unseen if it came with the link and is good as far as anybody knows, or else to be typed. */
function Secret({ state, token, isCaller = false, children }: SecretProps) {
  if (token !== undefined && state.reason !== "CODE_INVALID") {
    return (
      <>
        <input type="hidden" name="token" value={token} />
        <p>{children}</p>
      </>
    );
  }
  return (
    <>
      {isCaller ? null : <EmailField state={state} />}
      <Field
        name="code"
        label="Code"
        inputMode="numeric"
        autoComplete="one-time-code"
        hint="The eight digits in the letter."
        required
        state={state}
      />
    </>
  );
}

function EmailField({ state }: { readonly state: FormState }) {
  return (
    <Field name="email" label="Email" type="email" autoComplete="username" inputMode="email" required state={state} />
  );
}
