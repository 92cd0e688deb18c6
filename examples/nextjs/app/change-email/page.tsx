import type { Metadata } from "next";
import { connection } from "next/server";
import { Suspense } from "react";
import { confirmEmailChange } from "../../auth/letter-actions";
import { getSession } from "../../auth/server";
import { browserSettings } from "../../auth/settings";
import { InBrowser } from "../../components/late";
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
  if (browserSettings !== undefined) return <InBrowser part="change-email" settings={browserSettings} />;
  return (await getSession()) === undefined ? <SignInFirst /> : <ConfirmEmailChangeForm action={confirmEmailChange} />;
}
