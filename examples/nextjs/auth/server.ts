import "server-only";
import { createServerAuth } from "countersign/next";
import { settings } from "./settings";

export const { getSession, requireSession, signIn, signUp, signOut, auth, account } = createServerAuth(settings);
