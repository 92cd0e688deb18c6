"use client";
/** What pages show in the modes in which the browser itself calls the service. */

import { AuthError } from "countersign";
import { useSession } from "countersign/react";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import { authClient, browserActions } from "../auth/browser";
import type { BrowserSettings } from "../auth/form-state";
import { SignInForm, SignOutForm, SignUpForm, WhoAmIForm } from "./account-forms";
import { Archive, Members } from "./members";
import { Profile, type ProfileData, profileOf } from "./profile";
import { Waiting } from "./waiting";

export type Part = "sign-in" | "sign-up" | "sign-out" | "who-am-i" | "links" | "me" | "members" | "archive";

interface InBrowserProps {
  readonly settings: BrowserSettings;
  readonly part: Part;
  readonly next?: string;
  readonly message?: string;
}

/** All parts in one component, which is loaded late: in the default mode no page loads any of it. */
export default function InBrowser({ settings, part, ...rest }: InBrowserProps) {
  switch (part) {
    case "sign-in":
      return <SignInForm action={browserActions(settings).signIn} {...rest} />;
    case "sign-up":
      return <SignUpForm action={browserActions(settings).signUp} {...rest} />;
    case "sign-out":
      return <SignOutForm action={browserActions(settings).signOut} />;
    case "who-am-i":
      return <WhoAmIForm action={browserActions(settings).whoAmI} />;
    case "links":
      return <Links settings={settings} />;
    default:
      return <ForMembers settings={settings} part={part} />;
  }
}

function Links({ settings }: { readonly settings: BrowserSettings }) {
  const state = useSession(authClient(settings));
  if (state !== "signed-out") return <SignOutForm action={browserActions(settings).signOut} />;
  return (
    <>
      <Link href="/sign-up">Sign up</Link>
      <Link href="/sign-in">Sign in</Link>
    </>
  );
}

/** The page goes to everybody who asks for it, so that what it shows of a person has to come from calls. */
function ForMembers({
  settings,
  part,
}: {
  readonly settings: BrowserSettings;
  readonly part: "me" | "members" | "archive";
}) {
  const profile = useProfile(settings);
  if (profile === undefined) return <Waiting />;
  if (part === "me") return <Profile profile={profile} />;
  return part === "members" ? <Members name={profile.name} /> : <Archive />;
}

/** The person, as soon as the service has named them; sends away who is not signed in. */
function useProfile(settings: BrowserSettings): ProfileData | undefined {
  const client = authClient(settings);
  const router = useRouter();
  const state = useSession(client);
  const [profile, setProfile] = useState<ProfileData>();
  const [failed, setFailed] = useState<unknown>();
  useEffect(() => {
    let isCurrent = state !== "refreshing";
    if (!isCurrent) return;
    client.auth.whoAmI({}).then(
      ({ user, session }) => {
        if (isCurrent && user && session) setProfile(profileOf(user, session));
      },
      (error: unknown) => {
        if (!isCurrent) return;
        if (!(error instanceof AuthError) || error.code !== "unauthenticated") setFailed(error);
        // Signed out, here or in another tab: what the page has shown goes with the document.
        else if (profile !== undefined) window.location.assign("/");
        else router.replace(`/sign-in?next=${encodeURIComponent(window.location.pathname)}`);
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [client, router, state, profile]);
  if (failed !== undefined) throw failed;
  return profile;
}
