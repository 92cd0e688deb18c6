import type { Metadata } from "next";
import Link from "next/link";
import { deleteAccount } from "../../../auth/account-actions";
import { DeleteForm } from "../../../components/settings-forms";
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
        <DeleteForm action={deleteAccount} />
        <p className="hint">
          <Link href="/account">No, keep it</Link>
        </p>
      </div>
    </div>
  );
}
