//! Every RPC over every wire: native gRPC, gRPC-web and gRPC-web-text, HTTP/1.1 and HTTP/2, in the clear and over TLS.
//!
//! No wire depends on the database; every cell runs on both engines all the same, since it costs next to nothing.

use std::collections::BTreeSet;

use countersign::proto::{
    LoginRequest, LoginResponse, LogoutRequest, LogoutResponse, RefreshRequest, RefreshResponse, SignUpRequest,
    SignUpResponse, SignedIn, WhoAmIRequest, WhoAmIResponse, auth_service_client::AuthServiceClient,
    login_response::Outcome,
};
use http::{Method, StatusCode, uri::PathAndQuery};
use prost::Message;
use tonic::{Request, Response, Status, client::Grpc, transport::Channel};
use tonic_prost::ProstCodec;
use tonic_types::StatusExt as _;

use crate::support::{
    Engine, PAGE, TestApp,
    grpc::{login, login_request, refresh, sign_up, sign_up_request, summary, with_bearer},
    http::{Encoding, Http, Reply, Version, frame},
    on_both_engines,
    tls::Listener,
};

/// How a client speaks.
enum Wire {
    Native(Channel),
    Web(Http, Encoding),
}

impl Wire {
    /// All that a listener understands; native gRPC is HTTP/2 by definition.
    async fn all(listener: &Listener) -> [Self; 5] {
        let web = |version, encoding| Self::Web(listener.http(version), encoding);
        [
            Self::Native(listener.channel().await),
            web(Version::Http1, Encoding::Binary),
            web(Version::Http2, Encoding::Binary),
            web(Version::Http1, Encoding::Text),
            web(Version::Http2, Encoding::Text),
        ]
    }

    fn name(&self) -> String {
        match self {
            Self::Native(_) => "native gRPC".to_owned(),
            Self::Web(http, encoding) => format!("gRPC-web, {encoding:?}, {:?}", http.version),
        }
    }

    async fn call<Req: Message + 'static, Res: Message + Default + 'static>(
        &self,
        method: &str,
        message: Req,
        token: Option<&str>,
    ) -> Result<Res, Status> {
        match self {
            Self::Native(channel) => {
                let mut client = Grpc::new(channel.clone());
                client.ready().await.unwrap();
                let path: PathAndQuery = format!("/countersign.v1.AuthService/{method}").parse().unwrap();
                let request = match token {
                    Some(token) => with_bearer(message, token),
                    None => Request::new(message),
                };
                client.unary(request, path, ProstCodec::default()).await.map(Response::into_inner)
            }
            Self::Web(http, encoding) => {
                let bearer = token.map(|token| format!("Bearer {token}"));
                let headers: Vec<_> = bearer.iter().map(|value| ("authorization", value.as_str())).collect();
                http.call(*encoding, method, &message, &headers).await.0
            }
        }
    }

    async fn sign_up(&self, request: SignUpRequest) -> Result<SignUpResponse, Status> {
        self.call("SignUp", request, None).await
    }

    async fn login(&self, request: LoginRequest) -> Result<SignedIn, Status> {
        let response: LoginResponse = self.call("Login", request, None).await?;
        let Some(Outcome::SignedIn(signed_in)) = response.outcome else { panic!("signed in") };
        Ok(signed_in)
    }

    async fn who_am_i(&self, token: Option<&str>) -> Result<WhoAmIResponse, Status> {
        self.call("WhoAmI", WhoAmIRequest {}, token).await
    }
}

/// Up, in, on and out, and each of them refused once.
async fn every_rpc(wire: &Wire, email: &str) {
    let name = wire.name();
    let bad = SignUpRequest { email: "ada".to_owned(), password: "short".to_owned(), display_name: "a".repeat(101) };
    let refused = wire.sign_up(bad).await.unwrap_err();
    assert_eq!(summary(&refused), "InvalidArgument INVALID_FIELDS email,password,display_name", "{name}");
    let violations = refused.get_error_details().bad_request().unwrap().field_violations.clone();
    assert!(violations.iter().all(|violation| violation.description.starts_with("must ")), "{name}: {violations:?}");

    wire.sign_up(sign_up_request(email)).await.unwrap();
    let wrong = LoginRequest { password: "not the right password".to_owned(), ..login_request(email) };
    let refused = wire.login(wrong).await.unwrap_err();
    assert_eq!(summary(&refused), "Unauthenticated BAD_CREDENTIALS", "{name}");
    assert_eq!(refused.message(), "the email address or the password is wrong", "{name}");
    let signed_in = wire.login(login_request(email)).await.unwrap();
    let first = signed_in.tokens.unwrap();

    assert_eq!(summary(&wire.who_am_i(None).await.unwrap_err()), "Unauthenticated NOT_SIGNED_IN", "{name}");
    let answer = wire.who_am_i(Some(&first.access_token)).await.unwrap();
    assert_eq!(answer.user.as_ref().unwrap().email, email, "{name}");
    assert_eq!((&answer.user, &answer.session), (&signed_in.user, &signed_in.session), "{name}");

    let renew = |token: &str| RefreshRequest { refresh_token: token.to_owned(), ..RefreshRequest::default() };
    let refused = wire.call::<_, RefreshResponse>("Refresh", renew("cs_rt_junk"), None).await.unwrap_err();
    assert_eq!(summary(&refused), "Unauthenticated TOKEN_INVALID", "{name}");
    let renewed: RefreshResponse = wire.call("Refresh", renew(&first.refresh_token), None).await.unwrap();
    let renewed = renewed.signed_in.unwrap();
    assert_eq!(renewed.session, signed_in.session, "{name}");
    let second = renewed.tokens.unwrap();
    assert_ne!(second.refresh_token, first.refresh_token, "{name}");

    let leave = |token| wire.call::<_, LogoutResponse>("Logout", LogoutRequest::default(), token);
    assert_eq!(summary(&leave(None).await.unwrap_err()), "Unauthenticated NOT_SIGNED_IN", "{name}");
    leave(Some(&second.access_token)).await.unwrap();
    let refused = wire.who_am_i(Some(&second.access_token)).await.unwrap_err();
    assert_eq!(summary(&refused), "Unauthenticated SESSION_ENDED", "{name}");
}

on_both_engines! {
    async fn every_rpc_is_served_and_refused_alike_on_every_wire(engine) {
        for listener in Listener::both(engine, |_| {}).await {
            let wires = Wire::all(&listener).await;
            for (number, wire) in wires.iter().enumerate() {
                every_rpc(wire, &format!("ada{number}@example.com")).await;
            }
            let people = listener.app.database.number("SELECT COUNT(*) FROM users").await;
            assert_eq!(people, i64::try_from(wires.len()).unwrap());
        }
    }

    async fn a_fault_tells_its_caller_the_id_that_the_log_has(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        sign_up(&mut client, "ada@example.com").await;
        app.database.execute("ALTER TABLE users RENAME TO away").await;

        let fault = login(&mut client, "ada@example.com").await.unwrap_err();

        assert_eq!(summary(&fault), "Internal INTERNAL");
        assert_eq!(fault.message(), "the service failed");
        let details = fault.get_error_details();
        let header = fault.metadata().get("x-request-id").unwrap().to_str().unwrap();
        assert_eq!(details.request_info().unwrap().request_id, header);
        assert!(is_request_id(header), "{header}");
    }
}

fn is_request_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[tokio::test]
async fn the_generated_client_speaks_tls() {
    let [_, secure] = Listener::both(Engine::Sqlite, |_| {}).await;
    let mut client = AuthServiceClient::new(secure.channel().await);
    assert!(secure.app.url.starts_with("https://"));
    sign_up(&mut client, "ada@example.com").await;
    let tokens = login(&mut client, "ada@example.com").await.unwrap().tokens.unwrap();
    let tokens = refresh(&mut client, &tokens.refresh_token).await.unwrap();
    let caller = client.who_am_i(with_bearer(WhoAmIRequest {}, &tokens.access_token)).await.unwrap().into_inner();
    assert_eq!(caller.user.unwrap().email, "ada@example.com");
    client.logout(with_bearer(LogoutRequest { everywhere: true }, &tokens.access_token)).await.unwrap();
    let refused = client.who_am_i(with_bearer(WhoAmIRequest {}, &tokens.access_token)).await.unwrap_err();
    assert_eq!(summary(&refused), "Unauthenticated SESSION_ENDED");
}

#[tokio::test]
async fn native_grpc_over_http1_does_nothing() {
    for listener in Listener::both(Engine::Sqlite, |_| {}).await {
        let headers = [("content-type", "application/grpc"), ("te", "trailers")];
        let path = "/countersign.v1.AuthService/SignUp";
        let body = frame(&sign_up_request("ada@example.com"));
        let reply = listener.http(Version::Http1).send(Method::POST, path, &headers, body).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert_eq!(listener.app.database.number("SELECT COUNT(*) FROM users").await, 0);
    }
}

#[tokio::test]
async fn every_answer_has_an_id_of_ours_whatever_the_client_sends() {
    const THEIRS: &str = "00000000000000000000000000000000";
    let mut ids = BTreeSet::new();
    let mut expect = |reply: &Reply, what: &str| {
        let all: Vec<_> = reply.headers.get_all("x-request-id").iter().map(|id| id.to_str().unwrap()).collect();
        let [id] = all[..] else { panic!("{what}: {all:?}") };
        assert!(is_request_id(id) && id != THEIRS, "{what}: {id}");
        assert!(ids.insert(id.to_owned()), "{what}: {id} was given before");
    };
    for listener in Listener::both(Engine::Sqlite, |_| {}).await {
        for http in listener.each_version() {
            let sent = [("x-request-id", THEIRS)];
            for path in
                ["/healthz", "/readyz", "/.well-known/countersign/keys", "/", "/countersign.v1.AuthService/Login"]
            {
                expect(&http.send(Method::GET, path, &sent, "").await, path);
            }
            for encoding in [Encoding::Binary, Encoding::Text] {
                let request = sign_up_request("ada@example.com");
                expect(&http.post(encoding, "SignUp", &request, &sent).await, "a success");
                expect(&http.post(encoding, "WhoAmI", &WhoAmIRequest {}, &sent).await, "a refusal");
                expect(&http.post(encoding, "Nothing", &WhoAmIRequest {}, &sent).await, "no such method");
                let hostile = [("origin", "https://evil.test"), sent[0]];
                expect(&http.post(encoding, "SignUp", &request, &hostile).await, "a refusal by the guard");
            }
            let preflight = [("origin", PAGE), ("access-control-request-method", "POST"), sent[0]];
            let path = "/countersign.v1.AuthService/Login";
            expect(&http.send(Method::OPTIONS, path, &preflight, "").await, "a preflight");
            expect(&http.send(Method::POST, path, &sent, "").await, "not gRPC");
        }
    }
}
