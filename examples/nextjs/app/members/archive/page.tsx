import type { Metadata } from "next";
import { connection } from "next/server";
import { Suspense } from "react";
import { requireSession } from "../../../auth/server";
import { browserSettings, isSeenHere } from "../../../auth/settings";
import { InBrowser } from "../../../components/late";
import { Archive } from "../../../components/members";
import { Waiting } from "../../../components/waiting";

export const metadata: Metadata = { title: "Archive" };

export default function ArchivePage() {
  return (
    <div className="column">
      <Suspense fallback={<Waiting />}>
        <ArchiveForMembers />
      </Suspense>
    </div>
  );
}

async function ArchiveForMembers() {
  await connection();
  if (browserSettings !== undefined && !isSeenHere) return <InBrowser part="archive" settings={browserSettings} />;
  await requireSession("/members/archive");
  return <Archive />;
}
