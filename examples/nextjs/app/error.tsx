"use client";

/** A page that could not be shown. The person is still signed in: nothing but the service's own word ends a session. */
export default function ErrorPage({ error, retry }: { readonly error: unknown; readonly retry: () => void }) {
  const isAway = /unavailable|deadline_exceeded/i.test(codeOf(error));
  return (
    <div className="narrow" role="alert">
      <h1>{isAway ? "One moment" : "That did not work"}</h1>
      <p className="lead">
        {isAway
          ? "The service that knows who you are does not answer right now. You are not signed out."
          : "Something went wrong on our side."}
      </p>
      <button type="button" className="button primary" onClick={() => retry()}>
        Try again
      </button>
    </div>
  );
}

/** What server components throw says no more in production than its digest. */
function codeOf(error: unknown): string {
  const { digest, code } = (error ?? {}) as { digest?: unknown; code?: unknown };
  return String(digest ?? code);
}
