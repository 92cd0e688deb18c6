import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { connection } from "next/server";
import { Suspense } from "react";
import { confirmEmailChange } from "../../auth/letter-actions";
import { getSession } from "../../auth/server";
import { mode } from "../../auth/settings";
import { ConfirmEmailChangeForm, SignInFirst } from "../../components/letter-forms";
import { Waiting } from "../../components/waiting";

export const metadata: Metadata = { title: "Your new address" };

export default function ChangeEmailPage() {
  return (
    <div className="narrow">
      <h1>Your new address</h1>
      <div className="card">
        <Suspense fallback={<Waiting />}>
          <ChangeEmail />
        </Suspense>
      </div>
    </div>
  );
}

async function ChangeEmail() {
  await connection();
  if (mode !== "server") notFound();
  return (await getSession()) === undefined ? <SignInFirst /> : <ConfirmEmailChangeForm action={confirmEmailChange} />;
}
