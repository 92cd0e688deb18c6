/** Exists so that callers decide by what happened, never by the text of a message. */

import type { ErrorReason } from "./gen/countersign/v1/error_reason_pb.js";

/** How a call failed, in the words of gRPC. */
export type ErrorCode =
  | "canceled"
  | "unknown"
  | "invalid_argument"
  | "deadline_exceeded"
  | "not_found"
  | "already_exists"
  | "permission_denied"
  | "resource_exhausted"
  | "failed_precondition"
  | "aborted"
  | "out_of_range"
  | "unimplemented"
  | "internal"
  | "unavailable"
  | "data_loss"
  | "unauthenticated";

/** Why the service refused: the values of `ErrorReason` in `countersign/v1/error_reason.proto`, where each is explained. */
export type Reason = Exclude<keyof typeof ErrorReason, "UNSPECIFIED">;

/** What is wrong with one field of a request. */
export interface FieldViolation {
  /** The field, as it is written in the `.proto` file: `display_name`. */
  readonly field: string;
  /** What is wrong with it, in English. */
  readonly description: string;
}

/** What is known about a failure beside its code and its message. */
export interface AuthErrorDetails {
  readonly reason?: Reason | undefined;
  readonly fields?: readonly FieldViolation[] | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly requestId?: string | undefined;
  readonly cause?: unknown;
}

/** What every promise of this package rejects with. */
export class AuthError extends Error {
  override readonly name = "AuthError";
  /** How the call failed. A service that cannot be reached is `"unavailable"`, whoever found out. */
  readonly code: ErrorCode;
  /** Why the service refused; `undefined` if it did not say, or was not reached. */
  readonly reason: Reason | undefined;
  /** Everything that is wrong with the request's fields; empty unless `code` is `"invalid_argument"`. */
  readonly fields: readonly FieldViolation[];
  /** How long to wait before trying again, if the service said so. */
  readonly retryAfterMs: number | undefined;
  /** What the operator of the service finds the call by in the log. */
  readonly requestId: string | undefined;

  constructor(code: ErrorCode, message: string, details: AuthErrorDetails = {}) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.reason = details.reason;
    this.fields = details.fields ?? [];
    this.retryAfterMs = details.retryAfterMs;
    this.requestId = details.requestId;
  }
}

/** Whether the service said that there is no session, as opposed to not saying anything. Nothing else signs anybody out. */
export function endsSession(error: unknown): boolean {
  if (!(error instanceof AuthError)) return false;
  const { reason } = error;
  return reason === "NOT_SIGNED_IN" || reason === "TOKEN_INVALID" || reason === "SESSION_ENDED";
}
