/** What to tell people, as data, so that an app can translate it and notices when a reason is added. */

import type { Reason } from "./errors.js";

/** One English sentence or two for each reason, for the person at the screen. */
export const messages: Readonly<Record<Reason, string>> = {
  INVALID_FIELDS: "Some of this is not right. Please check the marked fields.",
  WEAK_PASSWORD: "This password is too easy to guess. Please choose another one.",
  BAD_CREDENTIALS: "The email address or the password is wrong.",
  NOT_SIGNED_IN: "Please sign in.",
  TOKEN_EXPIRED: "Please try again.",
  TOKEN_INVALID: "Please sign in again.",
  SESSION_ENDED: "You have been signed out. Please sign in again.",
  EMAIL_UNVERIFIED: "Please confirm your email address first.",
  ACCOUNT_DISABLED: "This account is disabled.",
  FORBIDDEN: "You may not do this.",
  CODE_INVALID: "This code is not valid, or not any more. Please ask for a new one.",
  STEP_UP_REQUIRED: "Please confirm with your password first.",
  RATE_LIMITED: "You have done this too often. Please try again later.",
  OVERLOADED: "Too many people are signing in at the moment. Please try again shortly.",
  UNAVAILABLE: "The service cannot be reached at the moment. Please try again shortly.",
  INTERNAL: "Something went wrong on our side. Please try again later.",
};
