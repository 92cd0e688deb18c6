//! `countersign.v1.AuthService`.

use tonic::{Request, Response, Status};

use super::{call::Call, parse, render};
use crate::{
    app::{App, Rejection},
    proto::{
        LoginRequest, LoginResponse, LogoutRequest, LogoutResponse, RefreshRequest, RefreshResponse,
        RequestPasswordResetRequest, RequestPasswordResetResponse, ResendVerificationRequest,
        ResendVerificationResponse, ResetPasswordRequest, ResetPasswordResponse, SignUpRequest, SignUpResponse,
        VerifyEmailRequest, VerifyEmailResponse, WhoAmIRequest, WhoAmIResponse, auth_service_server::AuthService,
        login_response::Outcome,
    },
};

/// Signing up, in and out, over the wire.
#[derive(Debug, Clone)]
pub struct AuthApi(App);

impl AuthApi {
    /// Answers with `app`.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self(app)
    }
}

#[tonic::async_trait]
impl AuthService for AuthApi {
    async fn sign_up(&self, request: Request<SignUpRequest>) -> Result<Response<SignUpResponse>, Status> {
        let call = Call::of(&request);
        let command = parse::sign_up(request.get_ref(), self.0.password_policy(), call.device())?;
        self.0.sign_up(command).await.map_err(|error| call.refuse(error))?;
        Ok(Response::new(SignUpResponse {}))
    }

    async fn login(&self, request: Request<LoginRequest>) -> Result<Response<LoginResponse>, Status> {
        let call = Call::of(&request);
        let (command, delivery) = parse::login(request.get_ref(), &call)?;
        let outcome = self.0.login(command).await.map_err(|error| call.refuse(error))?;
        Ok(render::signed_in(&outcome, delivery, |signed_in| LoginResponse {
            outcome: Some(Outcome::SignedIn(signed_in)),
        }))
    }

    async fn who_am_i(&self, request: Request<WhoAmIRequest>) -> Result<Response<WhoAmIResponse>, Status> {
        let call = Call::of(&request);
        let answer = async {
            let caller = self.0.verifier().authenticate(call.access_token()?).await?;
            let profile = self.0.who_am_i(&caller).await?;
            Ok(render::who_am_i(&caller, &profile))
        };
        answer.await.map(Response::new).map_err(|error: crate::app::Error| call.refuse(error))
    }

    async fn refresh(&self, request: Request<RefreshRequest>) -> Result<Response<RefreshResponse>, Status> {
        let call = Call::of(&request);
        let presented = parse::refresh(request.into_inner(), &call)?;
        let (token, delivery) = presented.ok_or_else(|| call.refuse(Rejection::NotSignedIn))?;
        let outcome = self.0.refresh(&token, call.device()).await.map_err(|error| call.refuse(error))?;
        Ok(render::signed_in(&outcome, delivery, |signed_in| RefreshResponse { signed_in: Some(signed_in) }))
    }

    async fn verify_email(
        &self,
        request: Request<VerifyEmailRequest>,
    ) -> Result<Response<VerifyEmailResponse>, Status> {
        let call = Call::of(&request);
        let proof = parse::verify_email(request.into_inner())?;
        self.0.verify_email(&proof, call.device()).await.map_err(|error| call.refuse(error))?;
        Ok(Response::new(VerifyEmailResponse {}))
    }

    async fn resend_verification(
        &self,
        request: Request<ResendVerificationRequest>,
    ) -> Result<Response<ResendVerificationResponse>, Status> {
        let call = Call::of(&request);
        let email = parse::email(&request.get_ref().email)?;
        self.0.resend_verification(email).await.map_err(|error| call.refuse(error))?;
        Ok(Response::new(ResendVerificationResponse {}))
    }

    async fn request_password_reset(
        &self,
        request: Request<RequestPasswordResetRequest>,
    ) -> Result<Response<RequestPasswordResetResponse>, Status> {
        let call = Call::of(&request);
        let email = parse::email(&request.get_ref().email)?;
        self.0.request_password_reset(email).await.map_err(|error| call.refuse(error))?;
        Ok(Response::new(RequestPasswordResetResponse {}))
    }

    async fn reset_password(
        &self,
        request: Request<ResetPasswordRequest>,
    ) -> Result<Response<ResetPasswordResponse>, Status> {
        let call = Call::of(&request);
        let command = parse::reset_password(request.into_inner(), self.0.password_policy(), call.device())?;
        self.0.reset_password(command).await.map_err(|error| call.refuse(error))?;
        Ok(Response::new(ResetPasswordResponse {}))
    }

    async fn logout(&self, request: Request<LogoutRequest>) -> Result<Response<LogoutResponse>, Status> {
        let call = Call::of(&request);
        let everywhere = request.into_inner().everywhere;
        let ended = async {
            if everywhere {
                let caller = self.0.verifier().authenticate(call.access_token()?).await?;
                self.0.log_out_everywhere(&caller, call.device()).await
            } else {
                let leaver = self.0.authenticate_to_leave(call.access_token()?)?;
                self.0.log_out(&leaver, call.device()).await
            }
        };
        ended.await.map_err(|error: crate::app::Error| call.refuse(error))?;
        let mut response = Response::new(LogoutResponse {});
        call.clear_cookies(response.metadata_mut());
        Ok(response)
    }
}
