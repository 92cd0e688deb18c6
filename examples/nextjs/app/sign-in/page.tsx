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

/** What to say to who comes from another page of ours. */
const messages = {
  // Signing up says nothing about who has an account, and so neither does this.
  welcome:
    "Now sign in with your password. If there was an account with this address before, it has kept its own. We may have sent you a letter, to confirm your address first.",
  verified: "Your address is confirmed. Now sign in.",
  reset: "You have a new password, and all your sessions are over. Now sign in with it.",
  deleted: "You are signed out, and your account will be deleted. Until then signing in keeps it.",
} as const;

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
  const { next, welcome, done } = await searchParams;
  const goTo = safePath(next, "/me");
  const message = messageFor(welcome === undefined ? done : "welcome");
  const form = { next: goTo, ...(message === undefined ? {} : { message }) };
  return (
    <div className="card">
      {browserSettings === undefined ? (
        <SignInForm action={signIn} {...form} />
      ) : (
        <InBrowser part="sign-in" settings={browserSettings} {...form} />
      )}
      <p className="hint">
        No account yet? <Link href={`/sign-up?next=${encodeURIComponent(goTo)}`}>Create one</Link>.{" "}
        <Link href="/forgot-password">Forgot your password?</Link>
      </p>
    </div>
  );
}

function messageFor(what: unknown): string | undefined {
  return Object.entries(messages).find(([name]) => name === what)?.[1];
}
