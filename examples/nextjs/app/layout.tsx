import type { Metadata, Viewport } from "next";
import Link from "next/link";
import { type ReactNode, Suspense } from "react";
import { SessionLinks } from "../components/session-links";
import "./globals.css";
import "./parts.css";

export const metadata: Metadata = {
  title: { default: "Who goes there?", template: "%s · countersign" },
  description: "Sign in, and who am I: a Next.js app on countersign, to start from.",
};

export const viewport: Viewport = {
  colorScheme: "light dark",
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#f7f5ef" },
    { media: "(prefers-color-scheme: dark)", color: "#11150f" },
  ],
};

export default function RootLayout({ children }: { readonly children: ReactNode }) {
  return (
    <html lang="en">
      <body>
        <a className="skip" href="#main">
          Skip to the content
        </a>
        <header className="top">
          <Link href="/" className="brand">
            countersign
          </Link>
          <nav aria-label="Main">
            <Link href="/me">Me</Link>
            <Link href="/members">Members</Link>
            <Suspense fallback={null}>
              <SessionLinks />
            </Suspense>
          </nav>
        </header>
        <main id="main" tabIndex={-1}>
          {children}
        </main>
      </body>
    </html>
  );
}
