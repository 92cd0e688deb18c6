import { createServerAuth } from "countersign/next";

const auth = createServerAuth({ serviceUrl: "http://localhost:50051" });

export async function Profile() {
  const { user } = await auth.requireSession("/me");
  return <h1>Hello {user.displayName}</h1>;
}

export async function signOut(): Promise<void> {
  "use server";
  await auth.signOut();
}
