import type { Metadata } from "next";
import Link from "next/link";
import { resetPassword } from "../../auth/letter-actions";
import { ResetPasswordForm } from "../../components/letter-forms";

export const metadata: Metadata = { title: "Choose a new password" };

export default function ResetPasswordPage() {
  return (
    <div className="narrow">
      <h1>Choose a new password</h1>
      <div className="card">
        <ResetPasswordForm action={resetPassword} />
        <p className="hint">
          No letter? <Link href="/forgot-password">Have one sent</Link>.
        </p>
      </div>
    </div>
  );
}
