/** Stands where something is on its way. */

export function Waiting({ lines = 3, className = "" }: { readonly lines?: number; readonly className?: string }) {
  return (
    <div className={`waiting ${className}`} role="status">
      <span className="sr-only">Loading…</span>
      {Array.from({ length: lines }, (_, line) => `line ${line}`).map((key) => (
        <span key={key} className="bar" aria-hidden="true" />
      ))}
    </div>
  );
}
