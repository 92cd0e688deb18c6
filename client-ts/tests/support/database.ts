/** Looks into the service's database. By Python, which the project's other tests need as well: Node 20 has no SQLite. */

import { execFile } from "node:child_process";
import { promisify } from "node:util";

const SCRIPT = `
import json, sqlite3, sys
database = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
number = lambda sql: database.execute(sql).fetchone()[0]
print(json.dumps({
    "users": number("SELECT COUNT(*) FROM users"),
    "openSessions": number("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL"),
    "refreshes": number("SELECT COALESCE(SUM(generation), 0) FROM sessions"),
    "auditEvents": number("SELECT COUNT(*) FROM audit_events"),
    "everything": list(database.iterdump()),
}))
`;

export interface Contents {
  readonly users: number;
  readonly openSessions: number;
  /** How often refresh tokens were replaced. */
  readonly refreshes: number;
  readonly auditEvents: number;
  /** Every row, in SQL. */
  readonly everything: readonly string[];
}

/** What is in the database of this file. */
export async function contents(file: string): Promise<Contents> {
  const { stdout } = await promisify(execFile)("python3", ["-c", SCRIPT, file], { maxBuffer: 1 << 26 });
  return JSON.parse(stdout);
}
