/** What an app knows of the person who is signed in. */

import type { Session, User } from "countersign";
import Link from "next/link";

export interface ProfileData {
  readonly name: string;
  readonly rows: readonly (readonly [label: string, value: string])[];
}

// One zone for all: the server does not know the visitor's.
const moments = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "long",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  timeZone: "UTC",
  timeZoneName: "short",
});

/** A moment, for people. */
export function moment(at: { readonly seconds: bigint } | undefined): string {
  return at === undefined ? "–" : moments.format(Number(at.seconds) * 1000);
}

/** The parts of a message that are shown, as plain data that can go into a page. */
export function profileOf(user: User, session: Session): ProfileData {
  return {
    name: user.displayName || user.email,
    rows: [
      ["Email", user.email],
      ["Member since", moment(user.createdAt)],
      ["Signed in", moment(session.authenticatedAt)],
      ["Until, at the latest", moment(session.expiresAt)],
    ],
  };
}

export function Profile({ profile }: { readonly profile: ProfileData }) {
  return (
    <>
      <h1>Hello, {profile.name}</h1>
      <dl className="card facts">
        {profile.rows.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

export function ChangeAccount() {
  return (
    <p className="actions">
      <Link href="/account" className="button">
        Change your account
      </Link>
    </p>
  );
}
