import type { FormState } from "../auth/form-state";
import { Field } from "./field";

interface NewPasswordProps {
  readonly name: string;
  readonly label: string;
  readonly state: FormState;
}

/** A password to be chosen. */
export function NewPasswordField(props: NewPasswordProps) {
  return (
    <Field
      type="password"
      autoComplete="new-password"
      required
      hint="15 characters or more. A few words that nobody else would put together do well."
      {...props}
    />
  );
}
