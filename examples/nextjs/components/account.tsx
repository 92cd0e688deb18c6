/** The account page: the same in every mode, whoever carries out the actions. */

import type { AccountCalls } from "countersign";
import Link from "next/link";
import type { ReactNode } from "react";
import type { AccountActions } from "../auth/account-work";
import { SessionList } from "./session-list";
import { EmailForm, ExportForm, PasswordForm, ProfileForm, SessionsForm } from "./settings-forms";

type Answer<Call extends keyof AccountCalls> = Awaited<ReturnType<AccountCalls[Call]>>;

/** What the page shows. */
export interface AccountData {
  readonly name: string;
  readonly email: string;
  readonly locale: string;
  readonly sessions: Answer<"listSessions">["sessions"];
}

/** Asks for all of it, as whoever makes these calls. */
export async function accountData(account: AccountCalls): Promise<AccountData> {
  const [{ account: own }, { sessions }] = await Promise.all([account.getAccount({}), account.listSessions({})]);
  const { user } = own ?? {};
  return { name: user?.displayName ?? "", email: user?.email ?? "", locale: own?.locale ?? "en", sessions };
}

interface AccountProps extends AccountData {
  readonly actions: AccountActions;
}

export function Account({ name, email, locale, sessions, actions }: AccountProps) {
  return (
    <>
      <Section title="Profile" hint="What you are called, and what letters to you are written in.">
        <ProfileForm action={actions.updateProfile} name={name} locale={locale} />
      </Section>
      <Section title="Email" hint={`It is ${email}. It stays so until you have confirmed the new one.`}>
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
