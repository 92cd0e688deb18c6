import type { Metadata } from "next";
import { connection } from "next/server";
import { Suspense } from "react";
import { requireSession } from "../../auth/server";
import { browserSettings, isSeenHere } from "../../auth/settings";
import { InBrowser } from "../../components/late";
import { ChangeAccount, Profile, profileOf } from "../../components/profile";
import { Waiting } from "../../components/waiting";

export const metadata: Metadata = { title: "Me" };

export default function MePage() {
  return (
    <div className="column">
      <Suspense fallback={<Waiting />}>
        <Me />
      </Suspense>
    </div>
  );
}

async function Me() {
  await connection();
  if (browserSettings !== undefined && !isSeenHere) return <InBrowser part="me" settings={browserSettings} />;
  const { user, session } = await requireSession("/me");
  return (
    <>
      <Profile profile={profileOf(user, session)} />
      <ChangeAccount />
    </>
  );
}
