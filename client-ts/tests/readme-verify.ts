import { AuthError, type Claims, createVerifier } from "countersign/verify";

const verifier = createVerifier({
  keysUrl: "http://localhost:50051/.well-known/countersign/keys",
  issuer: "http://localhost:50051",
  audience: "countersign",
});

export async function caller(request: Request): Promise<Claims | undefined> {
  const token = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
  if (token === undefined) return undefined;
  return verifier.verify(token).catch((error: unknown) => {
    if (error instanceof AuthError && error.code === "unauthenticated") return undefined;
    throw error;
  });
}
