//! Who may call what: every RPC of the descriptor, by everybody, as its declared policy says. One without a policy does not
//! even build (`build.rs`).

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use countersign::proto;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use tonic::{Code, Request, Status, client::Grpc, transport::Channel};

use crate::{
    support::{
        Engine, TestApp,
        grpc::{login, summary},
    },
    token_service::let_in,
};

/// What a signed-in person must say, beside who they are.
const NEEDS: [(&str, &str); 5] = [
    ("ChangeEmail", "email"),
    ("ChangePassword", "current_password,new_password"),
    ("ConfirmEmailChange", "code"),
    ("Reauthenticate", "password"),
    ("RevokeSession", "session_id"),
];

/// Whoever may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Anonymous,
    Caller,
    /// Holds a token that somebody else signed.
    Forger,
    /// Another service, with its key.
    Backend,
}

fn pool() -> DescriptorPool {
    DescriptorPool::decode(proto::DESCRIPTOR).unwrap()
}

fn methods() -> Vec<MethodDescriptor> {
    let pool = pool();
    let ours = pool.services().filter(|service| service.package_name() == "countersign.v1");
    ours.flat_map(|service| service.methods().collect::<Vec<_>>()).collect()
}

/// What a method declares.
fn policy(method: &MethodDescriptor) -> DynamicMessage {
    let policy = method.parent_pool().get_extension_by_name("countersign.v1.policy").unwrap();
    method.options().get_extension(&policy).as_message().unwrap().clone()
}

/// The audience that a method declares, by name.
fn audience(method: &MethodDescriptor) -> String {
    let value = policy(method).get_field_by_name("audience").unwrap().into_owned();
    let audiences = method.parent_pool().get_enum_by_name("countersign.v1.Audience").unwrap();
    audiences.get_value(value.as_enum_number().unwrap()).unwrap().name().to_owned()
}

#[test]
fn every_rpc_is_what_the_matrix_says() {
    let declared: BTreeMap<String, String> =
        methods().iter().map(|method| (method.name().to_owned(), audience(method))).collect();
    let expected = [
        ("BatchVerifyTokens", "AUDIENCE_BACKEND"),
        ("ListPublicKeys", "AUDIENCE_ANYONE"),
        ("ChangeEmail", "AUDIENCE_CALLER"),
        ("ChangePassword", "AUDIENCE_CALLER"),
        ("ConfirmEmailChange", "AUDIENCE_CALLER"),
        ("DeleteAccount", "AUDIENCE_CALLER"),
        ("ExportAccount", "AUDIENCE_CALLER"),
        ("GetAccount", "AUDIENCE_CALLER"),
        ("ListSessions", "AUDIENCE_CALLER"),
        ("Login", "AUDIENCE_ANYONE"),
        ("Logout", "AUDIENCE_CALLER"),
        ("Reauthenticate", "AUDIENCE_CALLER"),
        ("RequestPasswordReset", "AUDIENCE_ANYONE"),
        ("ResendVerification", "AUDIENCE_ANYONE"),
        ("ResetPassword", "AUDIENCE_ANYONE"),
        ("Refresh", "AUDIENCE_REFRESH_CREDENTIAL"),
        ("RevokeOtherSessions", "AUDIENCE_CALLER"),
        ("RevokeSession", "AUDIENCE_CALLER"),
        ("SignUp", "AUDIENCE_ANYONE"),
        ("UpdateProfile", "AUDIENCE_CALLER"),
        ("VerifyEmail", "AUDIENCE_ANYONE"),
        ("VerifyToken", "AUDIENCE_BACKEND"),
        ("WatchRevocations", "AUDIENCE_BACKEND"),
        ("WhoAmI", "AUDIENCE_CALLER"),
    ];
    assert_eq!(declared, expected.map(|(name, audience)| (name.to_owned(), audience.to_owned())).into());
}

#[tokio::test]
async fn every_rpc_answers_everybody_as_it_declares() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let channel = Channel::from_shared(app.url.clone()).unwrap().connect().await.unwrap();
    app.signed_in("ada@example.com").await;
    let elsewhere = TestApp::spawn(Engine::Sqlite).await;
    let forged = elsewhere.signed_in("ada@example.com").await.tokens.unwrap();

    let service = let_in(&app, "gateway", &["countersign"]).await;
    for method in methods() {
        // One session each: some end it.
        let tokens = login(&mut app.client().await, "ada@example.com").await.unwrap().tokens.unwrap();
        let mut answers = BTreeMap::new();
        for who in [Who::Anonymous, Who::Forger, Who::Caller, Who::Backend] {
            let token = match who {
                Who::Anonymous => None,
                Who::Forger => Some(forged.access_token.as_str()),
                Who::Caller => Some(tokens.access_token.as_str()),
                Who::Backend => Some(service.expose()),
            };
            answers.insert(who, call(&channel, &method, token).await.map_err(|status| summary(&status)));
        }
        let refused = |who: Who| answers[&who].clone().unwrap_err();
        match audience(&method).as_str() {
            // Authorisation is not looked at: the empty message is what is refused, from everybody alike, where there is
            // anything to say.
            "AUDIENCE_ANYONE" => {
                let distinct: BTreeSet<_> = answers.values().cloned().collect();
                assert_eq!(distinct.len(), 1, "{} {answers:?}", method.name());
                if method.input().fields().len() == 0 {
                    assert_eq!(answers[&Who::Anonymous], Ok(()), "{}", method.name());
                    continue;
                }
                assert!(refused(Who::Anonymous).starts_with("InvalidArgument INVALID_FIELDS"), "{answers:?}");
            }
            // An access token is no refresh credential.
            "AUDIENCE_REFRESH_CREDENTIAL" => {
                for who in answers.keys() {
                    assert_eq!(refused(*who), "Unauthenticated NOT_SIGNED_IN", "{} {who:?}", method.name());
                }
            }
            "AUDIENCE_CALLER" => {
                assert_eq!(refused(Who::Anonymous), "Unauthenticated NOT_SIGNED_IN", "{}", method.name());
                assert_eq!(refused(Who::Forger), "Unauthenticated TOKEN_INVALID", "{}", method.name());
                assert_eq!(refused(Who::Backend), "Unauthenticated TOKEN_INVALID", "{}", method.name());
                // Let in: what is refused then is the empty message.
                let empty = NEEDS.iter().find(|(name, _)| *name == method.name()).map(|(_, fields)| fields);
                let expected = empty.map_or(Ok(()), |fields| Err(format!("InvalidArgument INVALID_FIELDS {fields}")));
                assert_eq!(answers[&Who::Caller], expected, "{}", method.name());
            }
            "AUDIENCE_BACKEND" => {
                assert_eq!(refused(Who::Anonymous), "Unauthenticated NOT_SIGNED_IN", "{}", method.name());
                for who in [Who::Forger, Who::Caller] {
                    assert_eq!(refused(who), "Unauthenticated TOKEN_INVALID", "{} {who:?}", method.name());
                }
                assert_eq!(answers[&Who::Backend], Ok(()), "{}", method.name());
            }
            other => panic!("{} declares {other}, which this test knows nothing of", method.name()),
        }
    }
}

/// What asks for a fresh proof takes no old one, and what does not say so does.
#[tokio::test]
async fn every_rpc_asks_for_a_fresh_proof_as_it_declares() {
    let app = TestApp::with(Engine::Sqlite, |setup| setup.policy.access_lifetime = Duration::from_mins(15)).await;
    let channel = Channel::from_shared(app.url.clone()).unwrap().connect().await.unwrap();
    app.signed_in("ada@example.com").await;
    let mut fresh = Vec::new();
    for method in methods().iter().filter(|method| audience(method) == "AUDIENCE_CALLER") {
        let tokens = login(&mut app.client().await, "ada@example.com").await.unwrap().tokens.unwrap();
        app.clock.advance(Duration::from_secs(10 * 60 + 1));
        let answer = call(&channel, method, Some(&tokens.access_token)).await;
        let summary = answer.map_or_else(|status| summary(&status), |()| "Ok".to_owned());
        let asks = policy(method).get_field_by_name("step_up").unwrap().as_bool().unwrap();
        assert_eq!(summary == "PermissionDenied STEP_UP_REQUIRED", asks, "{} {summary}", method.name());
        fresh.extend(asks.then(|| method.name().to_owned()));
    }
    assert_eq!(fresh, ["ChangeEmail", "DeleteAccount", "ExportAccount"]);
}

/// A client must not be able to say who it is, or what it may do (mass assignment).
#[test]
fn no_request_has_a_field_that_only_the_service_decides() {
    let decided = ["user_id", "id", "role", "roles", "verified", "email_verified", "epoch", "disabled", "created_at"];
    for method in methods() {
        for field in method.input().fields() {
            assert!(!decided.contains(&field.name()), "{}", field.full_name());
        }
    }
}

/// What the reader of `proto/` is promised: each RPC says which reasons it answers, and only those that exist.
#[test]
fn every_rpc_names_reasons_that_exist() {
    let reasons = pool().get_enum_by_name("countersign.v1.ErrorReason").unwrap();
    let known: BTreeSet<String> =
        reasons.values().map(|value| value.name().strip_prefix("ERROR_REASON_").unwrap().to_owned()).collect();
    for method in methods() {
        let file = method.parent_service().parent_file();
        let info = file.file_descriptor_proto().source_code_info.clone().unwrap();
        let comment = info.location.iter().find(|location| location.path == method.path()).unwrap();
        let (_, listed) =
            comment.leading_comments().split_once("Reasons:").unwrap_or_else(|| panic!("{}", method.name()));
        let capitals = |word: &&str| word.len() > 3 && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
        let words: Vec<&str> = listed.split(|c: char| !c.is_ascii_uppercase() && c != '_').filter(capitals).collect();
        assert!(!words.is_empty(), "{}", method.name());
        for word in words {
            assert!(known.contains(word), "{} names {word}", method.name());
        }
    }
}

/// Calls with an empty message, as a client that knows nothing but the descriptor.
async fn call(channel: &Channel, method: &MethodDescriptor, token: Option<&str>) -> Result<(), Status> {
    let mut client = Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let mut request = Request::new(Vec::new());
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
    let path = path.parse().unwrap();
    let reply = if method.is_server_streaming() {
        let mut stream = client.server_streaming(request, path, Bytes).await?.into_inner();
        stream.message().await?.unwrap()
    } else {
        client.unary(request, path, Bytes).await?.into_inner()
    };
    let message = DynamicMessage::decode(method.output(), reply.as_slice());
    message.map(drop).map_err(|error| Status::new(Code::Unknown, error.to_string()))
}

/// Messages as they are on the wire.
#[derive(Default)]
struct Bytes;

impl tonic::codec::Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl tonic::codec::Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut tonic::codec::EncodeBuf<'_>) -> Result<(), Status> {
        bytes::BufMut::put_slice(buffer, &item);
        Ok(())
    }
}

impl tonic::codec::Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut tonic::codec::DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let length = bytes::Buf::remaining(buffer);
        Ok(Some(bytes::Buf::copy_to_bytes(buffer, length).to_vec()))
    }
}
