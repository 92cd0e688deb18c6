import type { Metadata } from "next";
import Link from "next/link";
import { requestPasswordReset } from "../../auth/letter-actions";
import { ForgotPasswordForm } from "../../components/letter-forms";

export const metadata: Metadata = { title: "Forgot your password?" };

export default function ForgotPasswordPage() {
  return (
    <div className="narrow">
      <h1>Forgot your password?</h1>
      <div className="card">
        <ForgotPasswordForm action={requestPasswordReset} />
        <p className="hint">
          You have the letter? Open its link, or <Link href="/reset-password">type its code</Link>.
        </p>
      </div>
    </div>
  );
}
