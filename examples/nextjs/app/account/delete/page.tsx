import type { Metadata } from "next";
import Link from "next/link";
import { connection } from "next/server";
import { Suspense } from "react";
import { deleteAccount } from "../../../auth/account-actions";
import { browserSettings } from "../../../auth/settings";
import { InBrowser } from "../../../components/late";
import { DeleteForm } from "../../../components/settings-forms";
import { Waiting } from "../../../components/waiting";
import "../account.css";

export const metadata: Metadata = { title: "Delete your account" };

/** Shows nothing of anybody, and so asks for nobody: the action does. */
export default function DeleteAccountPage() {
  return (
    <div className="narrow">
      <h1>Delete your account</h1>
      <div className="card">
        <p>
          All your sessions end at once, on every device, and you get a letter that says when the account is deleted.
        </p>
        <p>
          Until then <strong>signing in keeps it</strong>. Afterwards nobody can bring it back.
        </p>
        <Suspense fallback={<Waiting lines={1} />}>
          <Delete />
        </Suspense>
        <p className="hint">
          <Link href="/account">No, keep it</Link>
        </p>
      </div>
    </div>
  );
}

async function Delete() {
  await connection();
  if (browserSettings !== undefined) return <InBrowser part="delete-account" settings={browserSettings} />;
  return <DeleteForm action={deleteAccount} />;
}
