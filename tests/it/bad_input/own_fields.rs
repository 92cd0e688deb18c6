//! The same strings where somebody signed in, somebody with a code or another service can put them.

use std::collections::BTreeMap;

use countersign::proto::{
    BatchVerifyTokensRequest, ChangeEmailRequest, ConfirmEmailChangeRequest, LoginRequest, Metadata,
    ReauthenticateRequest, RequestPasswordResetRequest, ResendVerificationRequest, ResetPasswordRequest,
    RevokeSessionRequest, UpdateProfileRequest, VerifyEmailRequest, VerifyTokenRequest, WatchRevocationsRequest,
};
use insta::assert_snapshot;
use prost::Message as _;

use super::strings::strings;
use crate::support::{
    Engine, PAGE, TestApp,
    codes::NEW_PASSWORD,
    grpc::{login_request, sign_up},
    http::Version,
    wire::{Wire, frame_of},
};

/// Who asks.
#[derive(Debug, Clone, Copy)]
enum By {
    Nobody,
    Ada,
    Service,
}

/// Puts a string into a message.
type Fill = fn(String) -> Vec<u8>;

/// The field, the longest string that it takes, who sends it, with which method, in what.
const FIELDS: [(&str, usize, By, &str, Fill); 19] = [
    ("Login.device_token", 512, By::Nobody, "Login", |text| {
        LoginRequest { device_token: Some(text), ..login_request("eve@example.com") }.encode_to_vec()
    }),
    ("VerifyEmail.token", 512, By::Nobody, "VerifyEmail", |token| {
        VerifyEmailRequest { token, ..Default::default() }.encode_to_vec()
    }),
    ("VerifyEmail.code", 32, By::Nobody, "VerifyEmail", |code| {
        VerifyEmailRequest { email: "ada@example.com".to_owned(), code, ..Default::default() }.encode_to_vec()
    }),
    ("ResetPassword.token", 512, By::Nobody, "ResetPassword", |token| {
        let new_password = NEW_PASSWORD.to_owned();
        ResetPasswordRequest { token, new_password, ..Default::default() }.encode_to_vec()
    }),
    ("ResetPassword.new_password", 256, By::Nobody, "ResetPassword", |new_password| {
        ResetPasswordRequest { token: "cs_ot_".to_owned(), new_password, ..Default::default() }.encode_to_vec()
    }),
    ("ResendVerification.email", 254, By::Nobody, "ResendVerification", |email| {
        ResendVerificationRequest { email }.encode_to_vec()
    }),
    ("RequestPasswordReset.email", 254, By::Nobody, "RequestPasswordReset", |email| {
        RequestPasswordResetRequest { email }.encode_to_vec()
    }),
    ("UpdateProfile.display_name", 100, By::Ada, "AccountService/UpdateProfile", |text| {
        UpdateProfileRequest { display_name: Some(text), ..Default::default() }.encode_to_vec()
    }),
    ("UpdateProfile.locale", 2, By::Ada, "AccountService/UpdateProfile", |text| {
        UpdateProfileRequest { locale: Some(text), ..Default::default() }.encode_to_vec()
    }),
    ("UpdateProfile.metadata key", 64, By::Ada, "AccountService/UpdateProfile", |text| metadata(text, String::new())),
    ("UpdateProfile.metadata value", 1_000, By::Ada, "AccountService/UpdateProfile", |text| {
        metadata("key".to_owned(), text)
    }),
    ("ChangeEmail.email", 254, By::Ada, "AccountService/ChangeEmail", |email| {
        ChangeEmailRequest { email }.encode_to_vec()
    }),
    ("ConfirmEmailChange.code", 32, By::Ada, "AccountService/ConfirmEmailChange", |code| {
        ConfirmEmailChangeRequest { code, ..Default::default() }.encode_to_vec()
    }),
    ("Reauthenticate.password", 256, By::Ada, "AccountService/Reauthenticate", |password| {
        ReauthenticateRequest { password }.encode_to_vec()
    }),
    ("RevokeSession.session_id", 36, By::Ada, "AccountService/RevokeSession", |session_id| {
        RevokeSessionRequest { session_id }.encode_to_vec()
    }),
    ("VerifyToken.token", 4_096, By::Service, "TokenService/VerifyToken", |token| {
        VerifyTokenRequest { token, ..Default::default() }.encode_to_vec()
    }),
    ("VerifyToken.audience", 256, By::Service, "TokenService/VerifyToken", |audience| {
        VerifyTokenRequest { token: "v4.public.".to_owned(), audience, ..Default::default() }.encode_to_vec()
    }),
    ("BatchVerifyTokens.tokens", 4_096, By::Service, "TokenService/BatchVerifyTokens", |token| {
        BatchVerifyTokensRequest { tokens: vec![token], ..Default::default() }.encode_to_vec()
    }),
    ("the key of a service", 4_096, By::Nobody, "TokenService/WatchRevocations", |_| {
        WatchRevocationsRequest::default().encode_to_vec()
    }),
];

fn metadata(key: String, value: String) -> Vec<u8> {
    let metadata = Some(Metadata { entries: [(key, value)].into() });
    UpdateProfileRequest { metadata, ..Default::default() }.encode_to_vec()
}

/// What an engine's service says to each string in each field.
async fn transcript(engine: Engine) -> Vec<(&'static str, String, String)> {
    let app = TestApp::spawn(engine).await;
    sign_up(&mut app.client().await, "eve@example.com").await;
    let ada = app.signed_in("ada@example.com").await.tokens.unwrap().access_token;
    let service =
        app.app.create_backend("api".parse().unwrap(), vec!["countersign".parse().unwrap()]).await.unwrap().unwrap();
    app.app.pull_revocations().await.unwrap();
    let mut lines = Vec::new();
    for (number, (name, longest, by, method, fill)) in FIELDS.into_iter().enumerate() {
        let is_header = name.starts_with("the key");
        let mut all = strings("x".repeat(longest), is_header).into_iter();
        // Those about lengths everywhere, and of the rest each in every fifth field.
        let some: Vec<_> = all.by_ref().take(8).collect();
        for text in some.into_iter().chain(all.skip(number % 5).step_by(5)) {
            let message = fill(text.clone());
            let credential = match by {
                By::Ada => Some(format!("Bearer {ada}")),
                By::Service => Some(format!("Bearer {}", service.expose())),
                By::Nobody => is_header.then(|| format!("Bearer cs_bk_{text}")),
            };
            let mut headers = vec![("origin", PAGE)];
            headers.extend(credential.iter().map(|credential| ("authorization", credential.as_str())));
            let reply = Wire::Web(Version::Http2).call(&app, method, &frame_of(&message), &headers).await;
            lines.push((name, text, reply.outcome()));
        }
    }
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_engines_say_the_same_to_every_string_in_every_other_field() {
    let sqlite = tokio::spawn(transcript(Engine::Sqlite));
    let postgres = transcript(Engine::Postgres).await;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for ((name, text, outcome), (_, _, other)) in sqlite.await.unwrap().into_iter().zip(postgres) {
        let start: String = text.chars().take(40).collect();
        assert_eq!(outcome, other, "{name}: {start:?}");
        *counts.entry(format!("{name}: {outcome}")).or_default() += 1;
    }
    let counts: Vec<String> = counts.into_iter().map(|(outcome, count)| format!("{outcome} ×{count}")).collect();
    // Nothing but OK, INVALID_ARGUMENT and what is the matter with the credential, the code or the service.
    assert_snapshot!(counts.join("\n"), @r"
    BatchVerifyTokens.tokens: Ok ×121
    ChangeEmail.email: InvalidArgument INVALID_FIELDS ×1
    ChangeEmail.email: InvalidArgument INVALID_FIELDS email ×120
    ConfirmEmailChange.code: InvalidArgument INVALID_FIELDS ×1
    ConfirmEmailChange.code: InvalidArgument INVALID_FIELDS code ×120
    Login.device_token: InvalidArgument INVALID_FIELDS ×1
    Login.device_token: Ok ×120
    Reauthenticate.password: InvalidArgument INVALID_FIELDS ×1
    Reauthenticate.password: InvalidArgument INVALID_FIELDS password ×4
    Reauthenticate.password: Unauthenticated BAD_CREDENTIALS ×115
    RequestPasswordReset.email: InvalidArgument INVALID_FIELDS ×1
    RequestPasswordReset.email: InvalidArgument INVALID_FIELDS email ×120
    ResendVerification.email: InvalidArgument INVALID_FIELDS ×1
    ResendVerification.email: InvalidArgument INVALID_FIELDS email ×120
    ResetPassword.new_password: FailedPrecondition CODE_INVALID ×78
    ResetPassword.new_password: InvalidArgument INVALID_FIELDS ×1
    ResetPassword.new_password: InvalidArgument WEAK_PASSWORD new_password ×41
    ResetPassword.token: FailedPrecondition CODE_INVALID ×113
    ResetPassword.token: InvalidArgument INVALID_FIELDS ×1
    ResetPassword.token: InvalidArgument INVALID_FIELDS email,code ×2
    ResetPassword.token: InvalidArgument INVALID_FIELDS token ×4
    RevokeSession.session_id: InvalidArgument INVALID_FIELDS ×1
    RevokeSession.session_id: InvalidArgument INVALID_FIELDS session_id ×119
    UpdateProfile.display_name: InvalidArgument INVALID_FIELDS ×1
    UpdateProfile.display_name: InvalidArgument INVALID_FIELDS display_name ×22
    UpdateProfile.display_name: Ok ×98
    UpdateProfile.locale: InvalidArgument INVALID_FIELDS ×1
    UpdateProfile.locale: InvalidArgument INVALID_FIELDS locale ×119
    UpdateProfile.metadata key: InvalidArgument INVALID_FIELDS ×1
    UpdateProfile.metadata key: InvalidArgument INVALID_FIELDS metadata ×117
    UpdateProfile.metadata key: Ok ×2
    UpdateProfile.metadata value: InvalidArgument INVALID_FIELDS ×1
    UpdateProfile.metadata value: InvalidArgument INVALID_FIELDS metadata ×26
    UpdateProfile.metadata value: Ok ×94
    VerifyEmail.code: InvalidArgument INVALID_FIELDS ×1
    VerifyEmail.code: InvalidArgument INVALID_FIELDS code ×120
    VerifyEmail.token: FailedPrecondition CODE_INVALID ×115
    VerifyEmail.token: InvalidArgument INVALID_FIELDS ×1
    VerifyEmail.token: InvalidArgument INVALID_FIELDS email,code ×1
    VerifyEmail.token: InvalidArgument INVALID_FIELDS token ×4
    VerifyToken.audience: Ok ×1
    VerifyToken.audience: PermissionDenied FORBIDDEN ×120
    VerifyToken.token: Ok ×121
    the key of a service: Unauthenticated TOKEN_INVALID ×106
    ");
}
