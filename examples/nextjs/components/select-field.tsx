"use client";

import { useId } from "react";
import type { FormState } from "../auth/form-state";

interface SelectFieldProps {
  readonly name: string;
  readonly label: string;
  readonly options: readonly (readonly [value: string, label: string])[];
  readonly defaultValue: string;
  readonly state: FormState;
}

export function SelectField({ name, label, options, defaultValue, state }: SelectFieldProps) {
  const id = useId();
  const value = state.values?.[name] ?? defaultValue;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {/* A new one for a new value: a form that has been sent resets this to what it was first. */}
      <select key={value} id={id} name={name} defaultValue={value}>
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}
