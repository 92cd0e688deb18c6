/** A real Connect server behind the interceptor, called in each of its protocols over HTTP/2. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError, type ConnectRouter, createContextValues, type Interceptor } from "@connectrpc/connect";
import { type Claims, callerOf, claimsKey, tokenInterceptor } from "countersign/connect-server";
import { AuthError, createVerifier } from "countersign/verify";
import { AUDIENCE, at, createIssuer, ISSUER, NOW, usualClaims } from "./support/issuer.js";
import { bearer, connect, outcome, PROTOCOLS, Probe, type Protocol, serve, summary } from "./support/probe.js";

const protocols = Object.keys(PROTOCOLS) as Protocol[];
const issuer = createIssuer();
const clock = () => NOW;
const verifier = createVerifier({ keys: [issuer.listed], issuer: ISSUER, audience: AUDIENCE, clock });
const away = createVerifier({
  keysUrl: ISSUER,
  issuer: ISSUER,
  audience: AUDIENCE,
  fetch: () => Promise.reject(new TypeError("fetch failed")),
});

const asking = (router: ConnectRouter) =>
  router.service(Probe, { ask: (_, { values }) => ({ text: values.get(claimsKey)?.sub ?? "nobody" }) });

for (const protocol of protocols) {
  describe(`over ${protocol}`, () => {
    /** Asks a server behind these interceptors. */
    async function ask(interceptors: Interceptor[], headers: Record<string, string>): Promise<string> {
      const { url, close } = await serve(asking, ...interceptors);
      try {
        return await outcome(connect(url, protocol).ask({}, { headers }));
      } finally {
        close();
      }
    }
    const askAs = (interceptor: Interceptor, token: string) => ask([interceptor], bearer(token).headers);

    test("a handler learns who calls", async () => {
      const { sub } = usualClaims();
      assert.equal(await askAs(tokenInterceptor(verifier), issuer.token()), sub);
      assert.equal(await ask([tokenInterceptor(verifier)], { authorization: `bEARER ${issuer.token()}` }), sub);
    });

    test("a call is refused as countersign itself would", async () => {
      const strict = tokenInterceptor(verifier);
      assert.equal(await ask([strict], {}), "Unauthenticated NOT_SIGNED_IN");
      assert.equal(await askAs(strict, createIssuer(issuer.kid).token()), "Unauthenticated TOKEN_INVALID");
      assert.equal(await askAs(strict, issuer.token({ exp: at(-30) })), "Unauthenticated TOKEN_EXPIRED");
      for (const authorization of [issuer.token(), `Basic ${issuer.token()}`, "Bearer", "Bearer ", "Bearer x"]) {
        assert.equal(await ask([strict], { authorization }), "Unauthenticated TOKEN_INVALID", authorization);
      }
      assert.equal(await askAs(tokenInterceptor(away), issuer.token()), "Unavailable UNAVAILABLE retry=1s");
    });

    test("roles and freshness are permissions", async () => {
      const both = tokenInterceptor(verifier, { roles: ["admin", "support"], clock });
      assert.equal(await askAs(both, issuer.token({ roles: ["admin"] })), "PermissionDenied FORBIDDEN");
      assert.notEqual(await askAs(both, issuer.token({ roles: ["support", "admin"] })), "nobody");
      assert.equal(await ask([both], {}), "Unauthenticated NOT_SIGNED_IN");
      const fresh = tokenInterceptor(verifier, { maxAgeMs: 600_500, clock });
      assert.notEqual(await askAs(fresh, issuer.token({ auth_time: at(-600) })), "nobody");
      assert.notEqual(await askAs(fresh, issuer.token({ auth_time: at(9) })), "nobody", "clocks differ");
      const old = issuer.token({ auth_time: at(-601) });
      assert.equal(await askAs(fresh, old), "PermissionDenied STEP_UP_REQUIRED max_age_seconds=600");
      const neither = tokenInterceptor(verifier, { roles: ["support"], maxAgeMs: 600_000, clock });
      assert.equal(
        await askAs(neither, old),
        "PermissionDenied FORBIDDEN",
        "what signing in would not give comes first",
      );
    });

    test("an optional token may be left out, and is not less of one", async () => {
      const optional = tokenInterceptor(verifier, { optional: true });
      assert.equal(await ask([optional], {}), "nobody");
      assert.equal(await askAs(optional, issuer.token()), usualClaims()["sub"]);
      assert.equal(await askAs(optional, "x"), "Unauthenticated TOKEN_INVALID");
      for (const demands of [{ roles: ["admin"] }, { maxAgeMs: 1_000 }]) {
        const asksMore = tokenInterceptor(verifier, { optional: true, ...demands });
        assert.equal(await ask([asksMore], {}), "Unauthenticated NOT_SIGNED_IN");
      }
    });

    test("nothing but the token says who calls", async () => {
      const claims = await verifier.verify(issuer.token());
      const vouching: Interceptor = (next) => (request) => {
        request.contextValues.set(claimsKey, claims);
        return next(request);
      };
      const headers = {
        cookie: `access=${issuer.token()}`,
        "x-user-id": claims.sub,
        "x-forwarded-user": claims.sub,
        "proxy-authorization": `Bearer ${issuer.token()}`,
      };
      assert.equal(await ask([vouching, tokenInterceptor(verifier, { optional: true })], headers), "nobody");
      assert.equal(await ask([tokenInterceptor(verifier)], headers), "Unauthenticated NOT_SIGNED_IN");
    });

    test("each service asks what it asks", async () => {
      const routes = (router: ConnectRouter) =>
        router.service(
          Probe,
          { ask: (_, context) => ({ text: callerOf(context).sub }) },
          { interceptors: [tokenInterceptor(verifier, { roles: ["support"] })] },
        );
      const { url, close } = await serve(routes, tokenInterceptor(verifier));
      try {
        const client = connect(url, protocol);
        assert.equal(await outcome(client.ask({}, bearer(issuer.token()))), "PermissionDenied FORBIDDEN");
        const token = issuer.token({ roles: ["support"] });
        assert.equal(await outcome(client.ask({}, bearer(token))), usualClaims()["sub"]);
      } finally {
        close();
      }
    });
  });
}

test("a handler that asks for the caller where there is none refuses", () => {
  const values = createContextValues();
  assert.throws(
    () => callerOf({ values }),
    (error) => summary(error) === "Unauthenticated NOT_SIGNED_IN",
  );
  const claims = usualClaims() as unknown as Claims;
  assert.equal(callerOf({ values: values.set(claimsKey, claims) }), claims);
});

test("a fault of ours is not told as the caller's", async () => {
  for (const [fault, code] of [
    [new TypeError("a secret of ours"), Code.Internal],
    [new AuthError("internal", "a secret of ours"), Code.Internal],
    [new AuthError("unavailable", "away", { reason: "UNAVAILABLE" }), Code.Unavailable],
  ] as const) {
    const { url, close } = await serve(asking, tokenInterceptor({ verify: () => Promise.reject(fault) }));
    try {
      const error = await connect(url, "gRPC")
        .ask({}, bearer("x"))
        .catch((error: unknown) => error);
      assert.ok(error instanceof ConnectError && error.code === code, String(error));
      assert.doesNotMatch(error.message, /secret/);
    } finally {
      close();
    }
  }
});
