import type { Metadata } from "next";
import { connection } from "next/server";
import { Suspense } from "react";
import * as actions from "../../auth/account-actions";
import { account, requireSession } from "../../auth/server";
import { browserSettings } from "../../auth/settings";
import { Account, accountData } from "../../components/account";
import { InBrowser } from "../../components/late";
import { Waiting } from "../../components/waiting";
import "./account.css";

export const metadata: Metadata = { title: "Your account" };

export default function AccountPage() {
  return (
    <div className="column">
      <h1>Your account</h1>
      <Suspense fallback={<Waiting lines={6} />}>
        <Own />
      </Suspense>
    </div>
  );
}

async function Own() {
  await connection();
  if (browserSettings !== undefined) return <InBrowser part="account" settings={browserSettings} />;
  await requireSession("/account");
  return <Account {...(await accountData(account))} actions={actions} />;
}
