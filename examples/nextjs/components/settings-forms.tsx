"use client";
/** The forms of the account page. */

import type { ReactNode } from "react";
import { useEffect } from "react";
import type { FormAction } from "../auth/form-state";
import { Field } from "./field";
import { Form } from "./form";
import { NewPasswordField } from "./new-password";
import { SelectField } from "./select-field";

interface FormOf {
  readonly action: FormAction;
}

const LANGUAGES = [
  ["en", "English"],
  ["de", "Deutsch"],
] as const;

export function ProfileForm({ action, name, locale }: FormOf & { readonly name: string; readonly locale: string }) {
  return (
    <Form action={action} submit="Save" pending="Saving…">
      {(state) => (
        <>
          <Field
            name="display_name"
            label="Name"
            autoComplete="name"
            maxLength={100}
            defaultValue={name}
            state={state}
          />
          <SelectField
            name="locale"
            label="Language of letters"
            options={LANGUAGES}
            defaultValue={locale.split("-")[0] ?? locale}
            state={state}
          />
        </>
      )}
    </Form>
  );
}

export function EmailForm({ action }: FormOf) {
  return (
    <Form action={action} submit="Change the address" pending="Sending…">
      {(state) => (
        <Field
          name="email"
          label="New address"
          type="email"
          autoComplete="email"
          inputMode="email"
          required
          state={state}
        />
      )}
    </Form>
  );
}

export function PasswordForm({ action }: FormOf) {
  return (
    <Form action={action} submit="Change the password" pending="Changing…">
      {(state) => (
        <>
          <Field
            name="current_password"
            label="Present password"
            type="password"
            autoComplete="current-password"
            required
            state={state}
          />
          <NewPasswordField name="new_password" label="New password" state={state} />
        </>
      )}
    </Form>
  );
}

interface SessionsFormProps extends FormOf {
  readonly hasOthers: boolean;
  readonly children: ReactNode;
}

/** One form for the whole list: each session's button names it. */
export function SessionsForm({ action, hasOthers, children }: SessionsFormProps) {
  return (
    <Form action={action} submit={hasOthers ? "End all other sessions" : undefined} pending="Ending…">
      {() => children}
    </Form>
  );
}

export function ExportForm({ action }: FormOf) {
  return (
    <Form action={action} submit="Download my data" pending="Gathering…">
      {(state) => (state.download === undefined ? null : <Download json={state.download} />)}
    </Form>
  );
}

export function DeleteForm({ action }: FormOf) {
  return <Form action={action} className="form danger" submit="Delete my account" pending="Deleting…" />;
}

/** Gives the file to the browser, which asks where to put it or does not, as it is set up. */
function Download({ json }: { readonly json: string }) {
  useEffect(() => {
    const href = URL.createObjectURL(new Blob([json], { type: "application/json" }));
    Object.assign(document.createElement("a"), { href, download: "my-data.json" }).click();
    URL.revokeObjectURL(href);
  }, [json]);
  return null;
}
