//! What tests say to the service over native gRPC, and how they read its answers.

use countersign::{
    app::CreateUser,
    domain::{DisplayName, NewPassword},
    proto::{
        LoginRequest, RefreshRequest, SignUpRequest, SignedIn, TokenDelivery, Tokens,
        auth_service_client::AuthServiceClient, login_response::Outcome,
    },
};
use tonic::{Request, Status, transport::Channel};
use tonic_types::StatusExt as _;

use super::{PASSWORD, TestApp};

pub type Client = AuthServiceClient<Channel>;

/// Code, reason and violated fields, on one line.
pub fn summary(status: &Status) -> String {
    let details = status.get_error_details();
    let reason = details.error_info().map_or("-", |info| {
        assert_eq!(info.domain, "countersign", "{status:?}");
        info.reason.as_str()
    });
    let fields = details
        .bad_request()
        .map_or_else(Vec::new, |bad| bad.field_violations.iter().map(|violation| violation.field.clone()).collect());
    format!("{:?} {reason} {}", status.code(), fields.join(",")).trim_end().to_owned()
}

pub fn with_bearer<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

pub fn sign_up_request(email: &str) -> SignUpRequest {
    SignUpRequest { email: email.to_owned(), password: PASSWORD.to_owned(), display_name: "Ada".to_owned() }
}

pub fn login_request(email: &str) -> LoginRequest {
    let delivery = TokenDelivery::Unspecified.into();
    LoginRequest { email: email.to_owned(), password: PASSWORD.to_owned(), delivery, device_token: None }
}

pub async fn sign_up(client: &mut Client, email: &str) {
    client.sign_up(sign_up_request(email)).await.unwrap();
}

pub async fn login(client: &mut Client, email: &str) -> Result<SignedIn, Status> {
    let response = client.login(login_request(email)).await?.into_inner();
    let Some(Outcome::SignedIn(signed_in)) = response.outcome else { panic!("signed in") };
    Ok(signed_in)
}

/// Exchanges a refresh token for the next pair.
pub async fn refresh(client: &mut Client, token: &str) -> Result<Tokens, Status> {
    let request = RefreshRequest { refresh_token: token.to_owned(), delivery: TokenDelivery::Unspecified.into() };
    let signed_in = client.refresh(request).await?.into_inner().signed_in.unwrap();
    Ok(signed_in.tokens.unwrap())
}

impl TestApp {
    /// An account that an operator made, of which nobody is told.
    pub async fn with_account(&self, email: &str) {
        let command = CreateUser {
            email: email.parse().unwrap(),
            password: NewPassword::parse(PASSWORD, self.setup.policy.passwords).unwrap(),
            display_name: DisplayName::default(),
            roles: Vec::new(),
            verified: false,
        };
        self.app.create_user(command).await.unwrap();
    }

    /// Somebody new with an open session.
    pub async fn signed_in(&self, email: &str) -> SignedIn {
        let mut client = self.client().await;
        sign_up(&mut client, email).await;
        login(&mut client, email).await.unwrap()
    }
}
