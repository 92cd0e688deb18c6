"use client";
/** What pages show in the modes in which the browser itself calls the service. */

import { type AuthClient, AuthError } from "countersign";
import { useSession } from "countersign/react";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useEffect, useRef, useState } from "react";
import { authClient, browserActions } from "../auth/browser";
import type { BrowserSettings } from "../auth/form-state";
import { Account, accountData } from "./account";
import { SignInForm, SignOutForm, SignUpForm, WhoAmIForm } from "./account-forms";
import { ConfirmEmailChangeForm, SignInFirst } from "./letter-forms";
import { Archive, Members } from "./members";
import { ChangeAccount, Profile, type ProfileData, profileOf } from "./profile";
import { DeleteForm } from "./settings-forms";
import { Waiting } from "./waiting";

type ForMembersPart = "me" | "members" | "archive";
type Part =
  | "sign-in"
  | "sign-up"
  | "sign-out"
  | "who-am-i"
  | "links"
  | "account"
  | "delete-account"
  | "change-email"
  | ForMembersPart;

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
    case "account":
      return <OwnAccount settings={settings} />;
    case "delete-account":
      return <DeleteForm action={browserActions(settings).deleteAccount} />;
    case "change-email":
      return <ChangeEmail settings={settings} />;
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

function ChangeEmail({ settings }: { readonly settings: BrowserSettings }) {
  const state = useSession(authClient(settings));
  if (state === "signed-out") return <SignInFirst />;
  return <ConfirmEmailChangeForm action={browserActions(settings).confirmEmailChange} />;
}

/** The page goes to everybody who asks for it, so that what it shows of a person has to come from calls. */
function ForMembers({ settings, part }: { readonly settings: BrowserSettings; readonly part: ForMembersPart }) {
  const [profile] = useCalls(settings, loadProfile);
  if (profile === undefined) return <Waiting />;
  if (part === "members") return <Members name={profile.name} />;
  if (part === "archive") return <Archive />;
  return (
    <>
      <Profile profile={profile} />
      <ChangeAccount />
    </>
  );
}

function OwnAccount({ settings }: { readonly settings: BrowserSettings }) {
  const [data, reload] = useCalls(settings, loadAccount);
  if (data === undefined) return <Waiting lines={6} />;
  return <Account {...data} actions={browserActions(settings, reload)} />;
}

async function loadProfile({ auth }: AuthClient): Promise<ProfileData | undefined> {
  const { user, session } = await auth.whoAmI({});
  return user && session && profileOf(user, session);
}

function loadAccount({ account }: AuthClient) {
  return accountData(account);
}

/**
 * What these calls bring, as soon as it is there, and what brings it again; sends away who is not signed in. Asks anew whenever
 * somebody signs in or out, here or in another tab.
 */
function useCalls<T>(settings: BrowserSettings, load: (client: AuthClient) => Promise<T>): [T | undefined, () => void] {
  const client = authClient(settings);
  const router = useRouter();
  const state = useSession(client);
  const [data, setData] = useState<T>();
  const [failed, setFailed] = useState<unknown>();
  const [turn, setTurn] = useState(0);
  const isShown = useRef(false);
  useEffect(() => {
    let isCurrent = state !== "refreshing";
    if (!isCurrent) return;
    load(client).then(
      (loaded) => {
        if (!isCurrent) return;
        isShown.current = true;
        setData(() => loaded);
      },
      (error: unknown) => {
        if (!isCurrent) return;
        if (!(error instanceof AuthError) || error.code !== "unauthenticated") setFailed(error);
        // Signed out, here or in another tab: what the page has shown goes with the document.
        else if (isShown.current) window.location.assign("/");
        else router.replace(`/sign-in?next=${encodeURIComponent(window.location.pathname)}`);
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [client, router, state, load, turn]);
  if (failed !== undefined) throw failed;
  return [data, () => setTurn((before) => before + 1)];
}
