"use server";

import { refresh } from "next/cache";
import { accountActions } from "./account-work";
import type { FormState } from "./form-state";
import { account } from "./server";

// What the default mode's account page sends. Whoever is not signed in is refused by the service, as everywhere.

const actions = accountActions(account, refresh);

export async function updateProfile(state: FormState, form: FormData): Promise<FormState> {
  return actions.updateProfile(state, form);
}

export async function changeEmail(state: FormState, form: FormData): Promise<FormState> {
  return actions.changeEmail(state, form);
}

export async function changePassword(state: FormState, form: FormData): Promise<FormState> {
  return actions.changePassword(state, form);
}

export async function endSessions(state: FormState, form: FormData): Promise<FormState> {
  return actions.endSessions(state, form);
}

export async function exportAccount(state: FormState, form: FormData): Promise<FormState> {
  return actions.exportAccount(state, form);
}

export async function deleteAccount(state: FormState, form: FormData): Promise<FormState> {
  return actions.deleteAccount(state, form);
}
