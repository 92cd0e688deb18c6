import { AuthError, createAuthClient, messages } from "countersign";

const { auth, session } = createAuthClient({ baseUrl: "http://localhost:50051", mode: "cookie" });

export async function signIn(email: string, password: string): Promise<string> {
  try {
    const user = await session.signIn({ email, password });
    return `Hello ${user.displayName}`;
  } catch (error) {
    if (error instanceof AuthError && error.reason) return messages[error.reason];
    throw error;
  }
}

session.subscribe(() => console.log(session.state, session.user?.email));
if (session.state === "signed-in") await auth.whoAmI({});
