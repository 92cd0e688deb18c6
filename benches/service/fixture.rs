//! A person, a service that may ask about tokens, and as many tokens as are wanted.

use std::{fs, path::Path};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign::{
    crypto::{AccessTokens, Keyring, MasterKeys},
    domain::{AccessToken, Claims, Timestamp, TokenId},
    entropy::{Entropy, OsEntropy},
    proto::{
        LoginRequest, SignUpRequest, SignedIn, VerifyTokenRequest, WhoAmIRequest,
        auth_service_client::AuthServiceClient, login_response::Outcome, token_service_client::TokenServiceClient,
    },
    store::{Engine, Settings, Store},
};
use prost::Message as _;
use tonic::{Request, transport::Channel};

use super::process::{Running, countersign};

pub const PASSWORD: &str = "correct horse battery staple";

/// What the calls of a run are made with.
pub struct Fixture {
    /// The key of a service.
    pub backend: String,
    /// Of one session, each another token.
    pub tokens: Vec<String>,
}

pub async fn sign_up(channel: Channel, email: &str) {
    let request =
        SignUpRequest { email: email.to_owned(), password: PASSWORD.to_owned(), display_name: "Ada".to_owned() };
    AuthServiceClient::new(channel).sign_up(request).await.unwrap();
}

pub async fn login(channel: Channel, email: &str) -> SignedIn {
    login_from(channel, email, None).await
}

/// The key of a service that may ask about tokens, and listen; it counts in a moment.
pub fn let_in(folder: &Path, settings: &[(&str, String)]) -> String {
    let created = countersign(folder, settings).args(["backend", "create", "--name", "api"]).output().unwrap();
    assert!(created.status.success(), "{created:?}");
    String::from_utf8(created.stdout).unwrap().trim().to_owned()
}

/// From a device that is known by what it was given, so that nobody gets a letter about a new one.
pub async fn login_from(channel: Channel, email: &str, device_token: Option<String>) -> SignedIn {
    let (email, password) = (email.to_owned(), PASSWORD.to_owned());
    let request = LoginRequest { email, password, device_token, ..Default::default() };
    let outcome = AuthServiceClient::new(channel).login(request).await.unwrap().into_inner().outcome.unwrap();
    let Outcome::SignedIn(signed_in) = outcome;
    signed_in
}

pub fn with_bearer<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

impl Fixture {
    /// Signs somebody in, and makes `count` tokens of their session with the service's own keys, as it would.
    pub async fn create(service: &Running, folder: &Path, count: usize) -> Self {
        let channel = Channel::from_shared(service.url()).unwrap().connect().await.unwrap();
        sign_up(channel.clone(), "ada@example.com").await;
        let first = login(channel, "ada@example.com").await.tokens.unwrap().access_token;
        let backend = let_in(folder, &[]);
        let tokens = mint(folder, &first, count).await;
        Self { backend, tokens }
    }

    /// What the service answers, for its peers to answer the same: to WhoAmI and VerifyToken, and its public key.
    pub async fn answers(&self, service: &Running, to: &Path) {
        let channel = Channel::from_shared(service.url()).unwrap().connect().await.unwrap();
        let token = &self.tokens[0];
        let who_am_i = with_bearer(WhoAmIRequest {}, token);
        let who_am_i = AuthServiceClient::new(channel.clone()).who_am_i(who_am_i).await.unwrap().into_inner();
        let question = VerifyTokenRequest { token: token.clone(), ..Default::default() };
        let mut tokens = TokenServiceClient::new(channel);
        // It learns of the new key in a moment.
        let verified = loop {
            if let Ok(verified) = tokens.verify_token(with_bearer(question.clone(), &self.backend)).await {
                break verified.into_inner();
            }
        };
        assert!(verified.status.as_ref().is_some_and(|status| status.active), "{verified:?}");
        let keys = tokens.list_public_keys(countersign::proto::ListPublicKeysRequest {}).await.unwrap().into_inner();
        let key = keys.keys[0].key.strip_prefix("k4.public.").unwrap();
        let parts = [who_am_i.encode_to_vec(), verified.encode_to_vec(), URL_SAFE_NO_PAD.decode(key).unwrap()];
        fs::write(to, parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join("\n")).unwrap();
    }
}

/// What [`Fixture::answers`] wrote.
pub fn read_answers(from: &Path) -> [Vec<u8>; 3] {
    let text = fs::read_to_string(from).unwrap();
    let parts: Vec<Vec<u8>> = text.lines().map(|line| URL_SAFE_NO_PAD.decode(line).unwrap()).collect();
    parts.try_into().unwrap()
}

async fn mint(folder: &Path, like: &str, count: usize) -> Vec<String> {
    let payload = URL_SAFE_NO_PAD.decode(like.split('.').nth(2).unwrap()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&payload[..payload.len() - 64]).unwrap();
    let (issuer, audience) = (claims["iss"].as_str().unwrap(), claims["aud"].as_str().unwrap());
    let engine = Engine::Sqlite { path: folder.join("data/countersign.db") };
    let patience = std::time::Duration::from_secs(30);
    let settings = Settings {
        engine,
        max_connections: 2,
        acquire_timeout: patience,
        statement_timeout: patience,
        look_timeout: patience,
    };
    let store = Store::connect(&settings).await.unwrap();
    let master = MasterKeys::parse(&fs::read_to_string(folder.join("data/master.key")).unwrap()).unwrap();
    let keyring = Keyring::open(&store.signing_keys().await.unwrap(), &master).unwrap();
    let tokens = AccessTokens::new(keyring, issuer, audience);
    let now = Timestamp::from_unix_seconds(time::OffsetDateTime::now_utc().unix_timestamp());
    let claims = tokens.verify(&AccessToken::from_text(like.to_owned()), now).unwrap();
    store.close().await.unwrap();
    let entropy: &dyn Entropy = &OsEntropy;
    let another = |_| Claims { id: TokenId::new(now, entropy.bytes()), ..(*claims).clone() };
    (0..count).map(another).map(|claims| tokens.mint(&claims).unwrap().expose().to_owned()).collect()
}
