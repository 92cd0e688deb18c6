/** What an app knows of the person who is signed in. */

import type { Session, User } from "countersign";

export interface ProfileData {
  readonly name: string;
  readonly rows: readonly (readonly [label: string, value: string])[];
}

/** The parts of a message that are shown, as plain data that can go into a page. */
export function profileOf(user: User, session: Session): ProfileData {
  const at = (moment: { readonly seconds: bigint } | undefined) =>
    moment === undefined ? "–" : new Date(Number(moment.seconds) * 1000).toISOString().slice(0, 16).replace("T", " ");
  return {
    name: user.displayName || user.email,
    rows: [
      ["Email", user.email],
      ["Member since", `${at(user.createdAt)} UTC`],
      ["Signed in", `${at(session.authenticatedAt)} UTC`],
      ["Until, at the latest", `${at(session.expiresAt)} UTC`],
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
