"use client";
/** A form that works before its script has loaded, says what is wrong where it is wrong, and leaves nothing behind. */

import { useRouter } from "next/navigation";
import { type ReactNode, useActionState, useEffect, useRef } from "react";
import type { FormAction, FormState } from "../auth/form-state";

interface FormProps {
  readonly action: FormAction;
  readonly submit: string;
  readonly pending: string;
  readonly next?: string;
  /** What to say before anything was sent. */
  readonly message?: string;
  readonly className?: string;
  readonly children?: (state: FormState) => ReactNode;
}

export function Form({ action, submit, pending, next, message, className = "form", children }: FormProps) {
  const [state, send, isPending] = useActionState(action, message === undefined ? {} : { message });
  const isLeaving = state.goTo !== undefined;
  return (
    <form action={send} className={className} noValidate>
      {next === undefined ? null : <input type="hidden" name="next" value={next} />}
      <Message state={state} />
      {children?.(state)}
      <button type="submit" className="button primary" disabled={isPending || isLeaving}>
        {isPending || isLeaving ? pending : submit}
      </button>
      {state.goTo === undefined ? null : <Leave to={state.goTo} keepsDocument={state.keepsDocument} />}
    </form>
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
