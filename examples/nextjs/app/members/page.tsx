import type { Metadata } from "next";
import { connection } from "next/server";
import { Suspense } from "react";
import { requireSession } from "../../auth/server";
import { browserSettings, isSeenHere } from "../../auth/settings";
import { InBrowser } from "../../components/late";
import { Members } from "../../components/members";
import { Waiting } from "../../components/waiting";

export const metadata: Metadata = { title: "Members" };

export default function MembersPage() {
  return (
    <div className="column">
      <Suspense fallback={<Waiting />}>
        <ForMembers />
      </Suspense>
    </div>
  );
}

async function ForMembers() {
  await connection();
  if (browserSettings !== undefined && !isSeenHere) return <InBrowser part="members" settings={browserSettings} />;
  const { user } = await requireSession("/members");
  return <Members name={user.displayName || user.email} />;
}
