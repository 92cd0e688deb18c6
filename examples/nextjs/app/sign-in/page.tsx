import { safePath } from "countersign/next";
import type { Metadata } from "next";
import Link from "next/link";
import { Suspense } from "react";
import { signIn } from "../../auth/actions";
import { browserSettings } from "../../auth/settings";
import { SignInForm } from "../../components/account-forms";
import { InBrowser } from "../../components/late";
import { Waiting } from "../../components/waiting";

export const metadata: Metadata = { title: "Sign in" };

export default function SignInPage({ searchParams }: PageProps<"/sign-in">) {
  return (
    <div className="narrow">
      <h1>Sign in</h1>
      <Suspense fallback={<Waiting />}>
        <SignIn searchParams={searchParams} />
      </Suspense>
    </div>
  );
}

async function SignIn({ searchParams }: Pick<PageProps<"/sign-in">, "searchParams">) {
  const { next, welcome } = await searchParams;
  const goTo = safePath(next, "/me");
  return (
    <div className="card">
      {welcome === undefined ? null : <p className="message">You can sign in now, if the address was free.</p>}
      {browserSettings === undefined ? (
        <SignInForm action={signIn} next={goTo} />
      ) : (
        <InBrowser part="sign-in" settings={browserSettings} next={goTo} />
      )}
      <p className="hint">
        No account yet? <Link href={`/sign-up?next=${encodeURIComponent(goTo)}`}>Create one</Link>.
      </p>
    </div>
  );
}
