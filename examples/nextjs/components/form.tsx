"use client";
/** A form that works before its script has loaded, says what is wrong where it is wrong, and leaves nothing behind. */

import { useRouter } from "next/navigation";
import { type ReactNode, useActionState, useEffect, useRef } from "react";
import type { FormAction, FormState } from "../auth/form-state";
import { Field } from "./field";

interface FormProps {
  readonly action: FormAction;
  /** What the button says; without it there are only the buttons that the form is given. */
  readonly submit?: string | undefined;
  readonly pending: string;
  readonly next?: string;
  /** What to say before anything was sent. */
  readonly message?: string;
  readonly className?: string;
  readonly children?: (state: FormState) => ReactNode;
  /** What comes below the button: other ways to send the same form. */
  readonly more?: (state: FormState) => ReactNode;
}

export function Form({ action, submit, pending, next, message, className = "form", children, more }: FormProps) {
  const [state, send, isPending] = useActionState(action, message === undefined ? {} : { message });
  const isLeaving = state.goTo !== undefined;
  return (
    <form action={send} className={className} noValidate>
      {next === undefined ? null : <input type="hidden" name="next" value={next} />}
      <Message state={state} />
      {children?.(state)}
      {state.asksProof === true ? <ProofField state={state} /> : null}
      {submit === undefined ? null : (
        <button type="submit" className="button primary" disabled={isPending || isLeaving}>
          {isPending || isLeaving ? pending : submit}
        </button>
      )}
      {more?.(state)}
      {state.goTo === undefined ? null : <Leave to={state.goTo} keepsDocument={state.keepsDocument} />}
    </form>
  );
}

/** For what a session that was left open must not be enough for: the same form is sent again, with the password. */
function ProofField({ state }: { readonly state: FormState }) {
  return (
    <Field
      name="proof"
      label="Your password"
      type="password"
      autoComplete="current-password"
      autoFocus
      hint="You have been signed in for a while, so that we ask whether it is still you."
      required
      state={state}
    />
  );
}

/** Told by screen readers as soon as it is there. */
export function Message({ state }: { readonly state: FormState }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (state.isError) box.current?.focus();
  }, [state]);
  return (
    <div
      ref={box}
      className={state.isError ? "message error" : "message"}
      role={state.isError ? "alert" : "status"}
      tabIndex={-1}
    >
      {state.message}
    </div>
  );
}

/** Loads the next page as a new document: the router would keep the old ones, hidden, with all that people saw and typed. */
function Leave({ to, keepsDocument = false }: { readonly to: string; readonly keepsDocument?: boolean | undefined }) {
  const router = useRouter();
  useEffect(() => {
    if (keepsDocument) router.push(to);
    else window.location.assign(to);
  }, [router, to, keepsDocument]);
  return null;
}
