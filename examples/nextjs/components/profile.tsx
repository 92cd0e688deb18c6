/** What an app knows of the person who is signed in. */

import type { Session, User } from "countersign";

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

/** The parts of a message that are shown, as plain data that can go into a page. */
export function profileOf(user: User, session: Session): ProfileData {
  const at = (moment: { readonly seconds: bigint } | undefined) =>
    moment === undefined ? "–" : moments.format(Number(moment.seconds) * 1000);
  return {
    name: user.displayName || user.email,
    rows: [
      ["Email", user.email],
      ["Member since", at(user.createdAt)],
      ["Signed in", at(session.authenticatedAt)],
      ["Until, at the latest", at(session.expiresAt)],
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
