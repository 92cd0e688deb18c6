/** What is for members alone; a place for the app that grows from this one. */

import Link from "next/link";

export function Members({ name }: { readonly name: string }) {
  return (
    <>
      <h1>Members</h1>
      <p className="lead">Good to see you, {name}. Only people who are signed in get this far.</p>
      <section className="card empty" aria-labelledby="notes">
        <h2 id="notes">Your notes</h2>
        <p>There is nothing here yet. This is where your app begins.</p>
        <p>
          <Link href="/members/archive">Look in the archive</Link>
        </p>
      </section>
    </>
  );
}

export function Archive() {
  return (
    <>
      <h1>Archive</h1>
      <p className="lead">What is below a protected path is protected too.</p>
      <p>
        <Link href="/members">Back to the members’ page</Link>
      </p>
    </>
  );
}
