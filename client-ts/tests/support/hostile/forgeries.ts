/** Calls that do harm, in bytes that every way of sending can carry: even a form, whose text is `name=value` and a line end. */

import assert from "node:assert/strict";

/** One call: where to, and the frame with its message, of which every character is a byte. */
export interface Target {
  readonly url: string;
  readonly body: string;
}

/** What an attacker is after: to end the victim's sessions, use up a refresh token, make accounts, or sign the victim in as somebody else. */
export const FORGERIES = {
  Logout: frame("\x08\x01"), // everywhere
  Refresh: frame("\x10\x02"), // to cookies
  SignUp: credentials("forged@example.test"),
  Login: login("mallory@example.test"),
} as const;

export type Rpc = keyof typeof FORGERIES;
export const RPCS = Object.keys(FORGERIES) as readonly Rpc[];

/** A message with an address and a password. */
export function credentials(email: string): string {
  return frame(text(1, email) + text(2, "correct horse battery staple"));
}

/** The same, for cookies. */
export function login(email: string): string {
  return frame(`${text(1, email)}${text(2, "correct horse battery staple")}\x18\x02`);
}

function text(field: number, value: string): string {
  return String.fromCharCode((field << 3) | 2, value.length) + value;
}

/** Field 15, which nobody knows, takes in what is in the way: a line feed, as forms send CR before each, and the end, `=x` and a line end. */
function frame(message: string): string {
  const whole = `${message.replaceAll("\n", "\x7a\x01\r\n")}\x7a\x04=x\r\n`;
  // ASCII, and no line end but a form's own.
  assert.ok([...whole].every((char) => char.charCodeAt(0) < 0x80) && !/\r(?!\n)|(?<!\r)\n/.test(whole));
  assert.ok(whole.length < 128 && whole.length !== 10 && whole.length !== 13, "a length that a form leaves as it is");
  return `\0\0\0\0${String.fromCharCode(whole.length)}${whole}`;
}
