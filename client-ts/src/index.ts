/** What the package offers. */

export type { AccountCalls } from "./account.js";
export type { AuthCalls } from "./auth.js";
export { type AuthClient, createAuthClient } from "./client.js";
export { AuthError, type AuthErrorDetails, type ErrorCode, type FieldViolation, type Reason } from "./errors.js";
export type { Session } from "./gen/countersign/v1/session_pb.js";
export type { User } from "./gen/countersign/v1/user_pb.js";
export { messages } from "./messages.js";
export type { AuthClientOptions, AuthLocks, AuthStorage, CallOptions } from "./options.js";
export type { AuthSession, Credential, SignInInput, SignOutOptions, SignUpInput } from "./session.js";
export type { SessionState } from "./status.js";
export type { TokenCalls } from "./tokens.js";
