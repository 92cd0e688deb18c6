import type { Metadata } from "next";
import { verifyEmail } from "../../auth/letter-actions";
import { VerifyEmailForm } from "../../components/letter-forms";

export const metadata: Metadata = { title: "Confirm your address" };

export default function VerifyEmailPage() {
  return (
    <div className="narrow">
      <h1>Confirm your address</h1>
      <div className="card">
        <VerifyEmailForm action={verifyEmail} />
      </div>
    </div>
  );
}
