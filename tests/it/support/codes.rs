//! One-time codes as their owners get them: by mail.

use countersign::proto::{
    RequestPasswordResetRequest, ResendVerificationRequest, ResetPasswordRequest, VerifyEmailRequest,
};
use tonic::Status;

use super::{TestApp, grpc::Client};

pub const CONFIRM: &str = "Confirm your address";
pub const CHOOSE: &str = "Choose a new password";
pub const CONFIRM_NEW: &str = "Confirm your new address";
pub const CHANGED: &str = "Your password was changed";
pub const NEW_PASSWORD: &str = "another horse, another battery";

/// What a letter carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailed {
    pub email: String,
    pub token: String,
    pub digits: String,
}

impl Mailed {
    fn read(email: &str, text: &str) -> Self {
        let start = text.find("cs_ot_").unwrap_or_else(|| panic!("a token in {text}"));
        let token = &text[start..start + 49];
        let is_code = |line: &&str| line.len() == 8 && line.bytes().all(|byte| byte.is_ascii_digit());
        let digits = text.lines().map(str::trim).find(is_code).unwrap_or_else(|| panic!("digits in {text}"));
        Self { email: email.to_owned(), token: token.to_owned(), digits: digits.to_owned() }
    }

    pub fn verify_by_token(&self) -> VerifyEmailRequest {
        VerifyEmailRequest { token: self.token.clone(), ..Default::default() }
    }

    pub fn verify_by_digits(&self) -> VerifyEmailRequest {
        VerifyEmailRequest { email: self.email.clone(), code: self.digits.clone(), ..Default::default() }
    }

    pub fn reset_by_token(&self, new_password: &str) -> ResetPasswordRequest {
        ResetPasswordRequest { token: self.token.clone(), new_password: new_password.to_owned(), ..Default::default() }
    }

    pub fn reset_by_digits(&self, new_password: &str) -> ResetPasswordRequest {
        ResetPasswordRequest {
            email: self.email.clone(),
            code: self.digits.clone(),
            new_password: new_password.to_owned(),
            ..Default::default()
        }
    }

    /// Eight digits that are not these.
    pub fn wrong_digits(&self) -> String {
        let number: u64 = self.digits.parse().unwrap();
        format!("{:08}", (number + 1) % 100_000_000)
    }
}

impl TestApp {
    /// What the last letter to an address with this subject carries.
    pub async fn mailed(&self, email: &str, subject: &str) -> Mailed {
        self.deliver().await;
        Mailed::read(email, &self.mail.last(email, subject).unwrap_or_else(|| panic!("{subject} to {email}")))
    }

    /// The letter that confirms an address, asked for anew.
    pub async fn verification(&self, email: &str) -> Mailed {
        let request = ResendVerificationRequest { email: email.to_owned() };
        self.client().await.resend_verification(request).await.unwrap();
        self.mailed(email, CONFIRM).await
    }

    /// As if nobody had been sent a letter for long.
    pub async fn forget_letter_limits(&self) {
        self.database.execute("DELETE FROM letter_limits").await;
    }

    /// The letter that replaces a password, asked for.
    pub async fn reset(&self, email: &str) -> Mailed {
        request_reset(&mut self.client().await, email).await.unwrap();
        self.mailed(email, CHOOSE).await
    }
}

pub async fn request_reset(client: &mut Client, email: &str) -> Result<(), Status> {
    client.request_password_reset(RequestPasswordResetRequest { email: email.to_owned() }).await.map(drop)
}
