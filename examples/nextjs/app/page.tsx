import Link from "next/link";
import { connection } from "next/server";
import { Suspense } from "react";
import { whoAmI } from "../auth/actions";
import { browserSettings } from "../auth/settings";
import { WhoAmIForm } from "../components/account-forms";
import { InBrowser } from "../components/late";

export default function HomePage() {
  return (
    <div className="hero">
      <div>
        <h1>Who goes there?</h1>
        <p className="lead">Two buttons, and no hours lost. Sign in, then ask this app who you are.</p>
        <div className="actions">
          <Link href="/sign-in" className="button primary">
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
      <dl className="card dialogue">
        <dt>Sentry</dt>
        <dd>Halt! Who goes there?</dd>
        <dt>You</dt>
        <dd>Ada.</dd>
        <dt>Sentry</dt>
        <dd>Advance, Ada, and give the countersign.</dd>
        <dt>You</dt>
        <dd>••••••••••••••••</dd>
        <dt>Sentry</dt>
        <dd>Pass, Ada. All’s well.</dd>
      </dl>
    </div>
  );
}

async function WhoAmI() {
  await connection();
  if (browserSettings !== undefined) return <InBrowser part="who-am-i" settings={browserSettings} />;
  return <WhoAmIForm action={whoAmI} />;
}
