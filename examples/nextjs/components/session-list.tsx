/** Where the person is signed in. */

import type { AccountCalls } from "countersign";
import { deviceOf } from "./device";
import { moment } from "./profile";

type OpenSession = Awaited<ReturnType<AccountCalls["listSessions"]>>["sessions"][number];

export function SessionList({ sessions }: { readonly sessions: readonly OpenSession[] }) {
  return (
    <ul className="sessions">
      {sessions.map(({ session, lastUsedAt, address, userAgent, current }) => (
        <li key={session?.id}>
          <div>
            <strong title={userAgent}>{deviceOf(userAgent)}</strong>
            {current ? <span className="badge">This device</span> : null}
            <p className="hint">
              {address ?? "Address unknown"} · last used {moment(lastUsedAt)}
            </p>
          </div>
          {current ? null : (
            <button
              type="submit"
              name="session"
              value={session?.id}
              className="button"
              aria-label={`End the session of ${deviceOf(userAgent)}, last used ${moment(lastUsedAt)}`}
            >
              End
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
