import { safePath } from "countersign/next";
import type { Metadata } from "next";
import Link from "next/link";
import { Suspense } from "react";
import { signUp } from "../../auth/actions";
import { browserSettings } from "../../auth/settings";
import { SignUpForm } from "../../components/account-forms";
import { InBrowser } from "../../components/late";
import { Waiting } from "../../components/waiting";

export const metadata: Metadata = { title: "Create an account" };

export default function SignUpPage({ searchParams }: PageProps<"/sign-up">) {
  return (
    <div className="narrow">
      <h1>Create an account</h1>
      <Suspense fallback={<Waiting className="card" lines={4} />}>
        <SignUp searchParams={searchParams} />
      </Suspense>
    </div>
  );
}

async function SignUp({ searchParams }: Pick<PageProps<"/sign-up">, "searchParams">) {
  const goTo = safePath((await searchParams)["next"], "/me");
  return (
    <div className="card">
      {browserSettings === undefined ? (
        <SignUpForm action={signUp} next={goTo} />
      ) : (
        <InBrowser part="sign-up" settings={browserSettings} next={goTo} />
      )}
      <p className="hint">
        You have one already? <Link href={`/sign-in?next=${encodeURIComponent(goTo)}`}>Sign in</Link>.
      </p>
    </div>
  );
}
