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

// Signing up says nothing about who has an account, and so neither does this.
const WELCOME =
  "Now sign in with your password. If there was an account with this address before, it has kept its own.";

export default function SignInPage({ searchParams }: PageProps<"/sign-in">) {
  return (
    <div className="narrow">
      <h1>Sign in</h1>
      <Suspense fallback={<Waiting className="card" />}>
        <SignIn searchParams={searchParams} />
      </Suspense>
    </div>
  );
}

async function SignIn({ searchParams }: Pick<PageProps<"/sign-in">, "searchParams">) {
  const { next, welcome } = await searchParams;
  const goTo = safePath(next, "/me");
  const form = { next: goTo, ...(welcome === undefined ? {} : { message: WELCOME }) };
  return (
    <div className="card">
      {browserSettings === undefined ? (
        <SignInForm action={signIn} {...form} />
      ) : (
        <InBrowser part="sign-in" settings={browserSettings} {...form} />
      )}
      <p className="hint">
        No account yet? <Link href={`/sign-up?next=${encodeURIComponent(goTo)}`}>Create one</Link>.
      </p>
    </div>
  );
}
