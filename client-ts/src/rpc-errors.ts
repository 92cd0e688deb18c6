/** Turns what the RPC runtime throws into AuthError; apart from errors.ts because it needs that runtime, which pages load late. */

import { durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { AuthError, type ErrorCode, type Reason } from "./errors.js";
import { ErrorReason } from "./gen/countersign/v1/error_reason_pb.js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from "./gen/google/rpc/error_details_pb.js";

const DOMAIN = "countersign";

const CODES: Readonly<Record<Code, ErrorCode>> = {
  [Code.Canceled]: "canceled",
  [Code.Unknown]: "unknown",
  [Code.InvalidArgument]: "invalid_argument",
  [Code.DeadlineExceeded]: "deadline_exceeded",
  [Code.NotFound]: "not_found",
  [Code.AlreadyExists]: "already_exists",
  [Code.PermissionDenied]: "permission_denied",
  [Code.ResourceExhausted]: "resource_exhausted",
  [Code.FailedPrecondition]: "failed_precondition",
  [Code.Aborted]: "aborted",
  [Code.OutOfRange]: "out_of_range",
  [Code.Unimplemented]: "unimplemented",
  [Code.Internal]: "internal",
  [Code.Unavailable]: "unavailable",
  [Code.DataLoss]: "data_loss",
  [Code.Unauthenticated]: "unauthenticated",
};

/** The reason that the service gave; `undefined` for other people's reasons, and for those newer than this package. */
export function reasonOf(error: unknown): Reason | undefined {
  if (!(error instanceof ConnectError)) return undefined;
  const name = error.findDetails(ErrorInfoSchema).find((info) => info.domain === DOMAIN)?.reason;
  return name !== undefined && isReason(name) ? name : undefined;
}

function isReason(name: string): name is Reason {
  return name !== "UNSPECIFIED" && Object.hasOwn(ErrorReason, name);
}

/** Says the same as an AuthError. */
export function toAuthError(error: unknown): AuthError {
  if (error instanceof AuthError) return error;
  const failure = ConnectError.from(error);
  // An interceptor's own AuthError comes wrapped.
  if (failure.cause instanceof AuthError) return failure.cause;
  const retry = failure.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return new AuthError(isCutOff(failure) ? "unavailable" : CODES[failure.code], failure.rawMessage, {
    reason: reasonOf(failure),
    fields: failure
      .findDetails(BadRequestSchema)
      .flatMap((bad) => bad.fieldViolations.map(({ field, description }) => ({ field, description }))),
    retryAfterMs: retry && durationMs(retry),
    requestId:
      failure.findDetails(RequestInfoSchema)[0]?.requestId || failure.metadata.get("x-request-id") || undefined,
    cause: failure,
  });
}

/** Whether the connection broke while the answer was read: fetch says so with a TypeError, and nothing else does here. */
function isCutOff(failure: ConnectError): boolean {
  return failure.code === Code.Unknown && failure.cause instanceof TypeError;
}
