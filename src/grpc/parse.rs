//! From messages to commands: every field that is wrong is reported at once, before anything costly.

use std::fmt;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{CookieProfile, call::Call, status::error_info};
use crate::{
    app::{ChangePassword, CodeProof, Login, OwnCodeProof, ResetPassword, SignUp, VerifyToken},
    domain::{
        AccessToken, CodeDigits, CodeToken, Device, DeviceToken, Email, Metadata, NewPassword, Password,
        PasswordPolicy, RefreshToken, SessionId,
    },
    proto::{
        BatchVerifyTokensRequest, ChangePasswordRequest, ConfirmEmailChangeRequest, ErrorReason, LoginRequest,
        RefreshRequest, ResetPasswordRequest, SignUpRequest, TokenDelivery, UpdateProfileRequest, VerifyEmailRequest,
        VerifyTokenRequest,
    },
    store::ProfileUpdate,
};

/// Far more than any token that is presented in a message has.
const MAX_CREDENTIAL_BYTES: usize = 512;
/// As many as one call may ask about: ten milliseconds of a processor.
const MAX_TOKENS: usize = 100;

/// Where the tokens of a session go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    Body,
    Cookie(CookieProfile),
}

/// What is wrong with a request, field by field.
#[derive(Default)]
struct Violations {
    fields: Vec<(&'static str, String)>,
    others_than_weak: bool,
}

impl Violations {
    fn take<T, E: fmt::Display>(&mut self, field: &'static str, parsed: Result<T, E>) -> Option<T> {
        self.others_than_weak |= parsed.is_err();
        self.take_weak(field, parsed)
    }

    /// The field is readable, and only not good enough.
    fn take_weak<T, E: fmt::Display>(&mut self, field: &'static str, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|error| self.fields.push((field, error.to_string()))).ok()
    }

    fn into_status(self) -> Status {
        let reason = if self.others_than_weak { ErrorReason::InvalidFields } else { ErrorReason::WeakPassword };
        let summary: Vec<String> = self.fields.iter().map(|(field, why)| format!("{field} {why}")).collect();
        let mut details = error_info(reason);
        for (field, why) in self.fields {
            details.add_bad_request_violation(field, why);
        }
        Status::with_error_details(Code::InvalidArgument, summary.join("; "), details)
    }
}

pub(super) fn sign_up(request: &SignUpRequest, policy: PasswordPolicy, device: Device) -> Result<SignUp, Status> {
    let mut bad = Violations::default();
    let email = bad.take("email", request.email.parse());
    let password = bad.take_weak("password", NewPassword::parse(&request.password, policy));
    let display_name = bad.take("display_name", request.display_name.parse());
    match (email, password, display_name) {
        (Some(email), Some(password), Some(display_name)) => Ok(SignUp { email, password, display_name, device }),
        _ => Err(bad.into_status()),
    }
}

pub(super) fn login(request: &LoginRequest, call: &Call) -> Result<(Login, Delivery), Status> {
    let mut bad = Violations::default();
    let email = bad.take("email", request.email.parse());
    let password = bad.take("password", Password::parse(&request.password));
    let delivery = bad.take("delivery", delivery(request.delivery, call.page));
    match (email, password, delivery) {
        (Some(email), Some(password), Some(delivery)) => {
            let known = device_token(request.device_token.as_deref(), call);
            Ok((Login { email, password, device: call.device(), known }, delivery))
        }
        _ => Err(bad.into_status()),
    }
}

/// The token of the message, else of the cookie; `None` when there is neither.
pub(super) fn refresh(request: RefreshRequest, call: &Call) -> Result<Option<(RefreshToken, Delivery)>, Status> {
    let mut bad = Violations::default();
    if request.refresh_token.is_empty() {
        let cookie = call.refresh_cookie().map_err(|rejection| call.refuse(rejection))?;
        let (Some(token), Some(profile)) = (cookie, call.page) else {
            return match bad.take("delivery", delivery(request.delivery, call.page)) {
                Some(_) => Ok(None),
                None => Err(bad.into_status()),
            };
        };
        return match bad.take("delivery", stays_in_cookie(request.delivery)) {
            Some(()) => Ok(Some((token.clone(), Delivery::Cookie(profile)))),
            None => Err(bad.into_status()),
        };
    }
    let token = bad.take("refresh_token", refresh_token(request.refresh_token));
    let delivery = bad.take("delivery", delivery(request.delivery, call.page));
    match (token, delivery) {
        (Some(token), Some(delivery)) => Ok(Some((token, delivery))),
        _ => Err(bad.into_status()),
    }
}

/// A password that the caller has already.
pub(super) fn current_password(field: &'static str, text: &str) -> Result<Password, Status> {
    let mut bad = Violations::default();
    bad.take(field, Password::parse(text)).ok_or_else(|| bad.into_status())
}

pub(super) fn session_id(text: &str) -> Result<SessionId, Status> {
    let mut bad = Violations::default();
    bad.take("session_id", text.parse()).ok_or_else(|| bad.into_status())
}

/// An address alone.
pub(super) fn email(text: &str) -> Result<Email, Status> {
    let mut bad = Violations::default();
    bad.take("email", text.parse()).ok_or_else(|| bad.into_status())
}

pub(super) fn verify_email(request: VerifyEmailRequest) -> Result<CodeProof, Status> {
    let mut bad = Violations::default();
    let VerifyEmailRequest { token, email, code } = request;
    code_proof(&mut bad, token, &email, &code).ok_or_else(|| bad.into_status())
}

pub(super) fn reset_password(
    request: ResetPasswordRequest,
    policy: PasswordPolicy,
    device: Device,
) -> Result<ResetPassword, Status> {
    let mut bad = Violations::default();
    let ResetPasswordRequest { token, email, code, new_password } = request;
    let proof = code_proof(&mut bad, token, &email, &code);
    let password = bad.take_weak("new_password", NewPassword::parse(&new_password, policy));
    match (proof, password) {
        (Some(proof), Some(password)) => Ok(ResetPassword { proof, password, device }),
        _ => Err(bad.into_status()),
    }
}

/// Either the token, or the address and the digits.
fn code_proof(bad: &mut Violations, token: String, email: &str, code: &str) -> Option<CodeProof> {
    if token.is_empty() {
        let email = bad.take("email", email.parse());
        let digits = bad.take("code", CodeDigits::parse(code));
        return Some(CodeProof::Digits { email: email?, digits: digits? });
    }
    bad.take("token", code_token(token, email, code)).map(CodeProof::Token)
}

fn code_token(token: String, email: &str, code: &str) -> Result<CodeToken, String> {
    if token.len() > MAX_CREDENTIAL_BYTES {
        return Err(format!("must be at most {MAX_CREDENTIAL_BYTES} bytes"));
    }
    if !email.is_empty() || !code.is_empty() {
        return Err("must be given without email and code".to_owned());
    }
    Ok(CodeToken::from_text(token))
}

pub(super) fn change_password(
    request: &ChangePasswordRequest,
    policy: PasswordPolicy,
    call: &Call,
) -> Result<ChangePassword, Status> {
    let mut bad = Violations::default();
    let current = bad.take("current_password", Password::parse(&request.current_password));
    let new = bad.take_weak("new_password", NewPassword::parse(&request.new_password, policy));
    match (current, new) {
        (Some(current), Some(new)) => {
            let known = device_token(request.device_token.as_deref(), call);
            Ok(ChangePassword { current, new, device: call.device(), known })
        }
        _ => Err(bad.into_status()),
    }
}

/// Of the cookie, else of the message. What is too long to be one is none: a device that is not known is no error.
fn device_token(text: Option<&str>, call: &Call) -> Option<DeviceToken> {
    let sent = text.filter(|text| text.len() <= MAX_CREDENTIAL_BYTES);
    call.device_cookie().cloned().or_else(|| sent.map(|text| DeviceToken::from_text(text.to_owned())))
}

pub(super) fn confirm_email_change(request: ConfirmEmailChangeRequest) -> Result<OwnCodeProof, Status> {
    let mut bad = Violations::default();
    let ConfirmEmailChangeRequest { token, code } = request;
    let proof = if token.is_empty() {
        bad.take("code", CodeDigits::parse(&code)).map(OwnCodeProof::Digits)
    } else {
        bad.take("token", code_token(token, "", &code)).map(OwnCodeProof::Token)
    };
    proof.ok_or_else(|| bad.into_status())
}

pub(super) fn update_profile(request: UpdateProfileRequest) -> Result<ProfileUpdate, Status> {
    let mut bad = Violations::default();
    let UpdateProfileRequest { display_name, locale, metadata } = request;
    let display_name = display_name.map(|text| bad.take("display_name", text.parse()));
    let locale = locale.map(|text| bad.take("locale", text.parse()));
    let metadata = metadata.map(|metadata| bad.take("metadata", Metadata::parse(metadata.entries)));
    if !bad.fields.is_empty() {
        return Err(bad.into_status());
    }
    Ok(ProfileUpdate { display_name: display_name.flatten(), locale: locale.flatten(), metadata: metadata.flatten() })
}

/// The questions of one call, all alike but for the token.
pub(super) fn verify_tokens(request: BatchVerifyTokensRequest) -> Result<Vec<VerifyToken>, Status> {
    let mut bad = Violations::default();
    let count = request.tokens.len();
    let fits = if count <= MAX_TOKENS { Ok(()) } else { Err(format!("must be at most {MAX_TOKENS}")) };
    bad.take("tokens", fits).ok_or_else(|| bad.into_status())?;
    let ask =
        |token| verify_token(VerifyTokenRequest { token, audience: request.audience.clone(), strong: request.strong });
    Ok(request.tokens.into_iter().map(ask).collect())
}

pub(super) fn verify_token(request: VerifyTokenRequest) -> VerifyToken {
    VerifyToken {
        token: AccessToken::from_text(request.token),
        audience: Some(request.audience).filter(|audience| !audience.is_empty()),
        is_strong: request.strong,
    }
}

fn delivery(number: i32, page: Option<CookieProfile>) -> Result<Delivery, &'static str> {
    match (TokenDelivery::try_from(number), page) {
        (Ok(TokenDelivery::Unspecified | TokenDelivery::Body), _) => Ok(Delivery::Body),
        (Ok(TokenDelivery::Cookie), Some(profile)) => Ok(Delivery::Cookie(profile)),
        (Ok(TokenDelivery::Cookie), None) => {
            Err("COOKIE is for gRPC-web calls from pages that the service lists, where it has cookies switched on")
        }
        (Err(_), _) => Err("must be BODY or COOKIE"),
    }
}

/// A token that scripts cannot read must not become one that they can.
fn stays_in_cookie(number: i32) -> Result<(), &'static str> {
    match TokenDelivery::try_from(number) {
        Ok(TokenDelivery::Unspecified | TokenDelivery::Cookie) => Ok(()),
        Ok(TokenDelivery::Body) => Err("must be COOKIE: a token that came in a cookie does not leave in a message"),
        Err(_) => Err("must be BODY or COOKIE"),
    }
}

fn refresh_token(text: String) -> Result<RefreshToken, String> {
    if text.len() > MAX_CREDENTIAL_BYTES {
        Err(format!("must be at most {MAX_CREDENTIAL_BYTES} bytes"))
    } else {
        Ok(RefreshToken::from_text(text))
    }
}
