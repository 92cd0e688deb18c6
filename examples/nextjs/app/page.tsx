import { connection } from "next/server";
import Link from "next/link";
import { Suspense } from "react";
import { whoAmI } from "../auth/actions";
import { browserSettings } from "../auth/settings";
import { WhoAmIForm } from "../components/account-forms";
import { InBrowser } from "../components/late";

export default function HomePage() {
  return (
    <div className="hero">
      <h1>Who goes there?</h1>
      <p className="lead">Two buttons, no hours lost. Sign in, then ask this app who you are.</p>
      <div className="actions">
        <Link href="/sign-in" className="button">
          Sign in
        </Link>
        <Suspense fallback={null}>
          <WhoAmI />
        </Suspense>
      </div>
      <p className="hint">
        No account yet? <Link href="/sign-up">Create one</Link>.
      </p>
    </div>
  );
}

async function WhoAmI() {
  await connection();
  if (browserSettings !== undefined) return <InBrowser part="who-am-i" settings={browserSettings} />;
  return <WhoAmIForm action={whoAmI} />;
}
