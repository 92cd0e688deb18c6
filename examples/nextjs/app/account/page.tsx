import type { Metadata } from "next";
import Link from "next/link";
import { notFound } from "next/navigation";
import { connection } from "next/server";
import { type ReactNode, Suspense } from "react";
import * as actions from "../../auth/account-actions";
import { account, requireSession } from "../../auth/server";
import { mode } from "../../auth/settings";
import { SessionList } from "../../components/session-list";
import { EmailForm, ExportForm, PasswordForm, ProfileForm, SessionsForm } from "../../components/settings-forms";
import { Waiting } from "../../components/waiting";
import "./account.css";

export const metadata: Metadata = { title: "Your account" };

export default function AccountPage() {
  return (
    <div className="column">
      <h1>Your account</h1>
      <Suspense fallback={<Waiting lines={6} />}>
        <Account />
      </Suspense>
    </div>
  );
}

async function Account() {
  await connection();
  if (mode !== "server") notFound();
  const { user } = await requireSession("/account");
  const [{ account: own }, { sessions }] = await Promise.all([account.getAccount({}), account.listSessions({})]);
  return (
    <>
      <Section title="Profile" hint="What you are called, and what letters to you are written in.">
        <ProfileForm action={actions.updateProfile} name={user.displayName} locale={own?.locale ?? "en"} />
      </Section>
      <Section title="Email" hint={`It is ${user.email}. It stays so until you have confirmed the new one.`}>
        <EmailForm action={actions.changeEmail} />
      </Section>
      <Section title="Password" hint="A new one ends all your sessions but this.">
        <PasswordForm action={actions.changePassword} />
      </Section>
      <Section
        title="Sessions"
        hint="Where you are signed in. If one of them is not you, end it, and change your password."
      >
        <SessionsForm action={actions.endSessions} hasOthers={sessions.some(({ current }) => !current)}>
          <SessionList sessions={sessions} />
        </SessionsForm>
      </Section>
      <Section title="Your data" hint="All that is stored of you, as a JSON file.">
        <ExportForm action={actions.exportAccount} />
      </Section>
      <Section title="Farewell" hint="You can change your mind for some days after.">
        <p className="last">
          <Link href="/account/delete">Delete your account</Link>
        </p>
      </Section>
    </>
  );
}

interface SectionProps {
  readonly title: string;
  readonly hint?: string;
  readonly children: ReactNode;
}

function Section({ title, hint, children }: SectionProps) {
  const id = title.toLowerCase().replace(/\W/g, "-");
  return (
    <section className="card setting" aria-labelledby={id}>
      <div>
        <h2 id={id}>{title}</h2>
        {hint === undefined ? null : <p className="hint">{hint}</p>}
      </div>
      <div>{children}</div>
    </section>
  );
}
