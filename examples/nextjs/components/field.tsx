"use client";
/** One labelled input, with its hint and what is wrong with it told together. */

import { type InputHTMLAttributes, useId } from "react";
import type { FormState } from "../auth/form-state";

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly state: FormState;
}

export function Field({ name, label, hint, state, defaultValue, ...input }: FieldProps) {
  const id = useId();
  const wrong = state.fields?.[name];
  const described = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(" ");
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        name={name}
        defaultValue={state.values?.[name] ?? defaultValue}
        aria-invalid={wrong ? true : undefined}
        aria-describedby={described || undefined}
        {...input}
      />
      {hint ? (
        <p id={`${id}-hint`} className="hint">
          {hint}
        </p>
      ) : null}
      {wrong ? (
        <p id={`${id}-wrong`} className="wrong">
          {label} {wrong}.
        </p>
      ) : null}
    </div>
  );
}
