import Link from "next/link";

export default function NotFound() {
  return (
    <div className="narrow">
      <h1>Nobody here</h1>
      <p className="lead">There is no such page.</p>
      <Link href="/" className="button">
        Go home
      </Link>
    </div>
  );
}
