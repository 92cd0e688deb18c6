//! `countersign.v1.AccountService`.

use tonic::{Request, Response, Status};

use super::{call::Call, export, parse, render};
use crate::{
    app::App,
    proto::{
        ChangeEmailRequest, ChangeEmailResponse, ChangePasswordRequest, ChangePasswordResponse,
        ConfirmEmailChangeRequest, ConfirmEmailChangeResponse, DeleteAccountRequest, DeleteAccountResponse,
        ExportAccountRequest, ExportAccountResponse, GetAccountRequest, GetAccountResponse, ListSessionsRequest,
        ListSessionsResponse, ReauthenticateRequest, ReauthenticateResponse, RevokeOtherSessionsRequest,
        RevokeOtherSessionsResponse, RevokeSessionRequest, RevokeSessionResponse, UpdateProfileRequest,
        UpdateProfileResponse, account_service_server::AccountService,
    },
};

/// What people do with their accounts, over the wire.
#[derive(Debug, Clone)]
pub struct AccountApi(App);

impl AccountApi {
    /// Answers with `app`.
    #[must_use]
    pub fn new(app: App) -> Self {
        Self(app)
    }
}

#[tonic::async_trait]
impl AccountService for AccountApi {
    async fn get_account(&self, request: Request<GetAccountRequest>) -> Result<Response<GetAccountResponse>, Status> {
        let call = Call::of(&request);
        let caller = call.caller(&self.0).await?;
        let account = self.0.account(&caller).await.map_err(|error| call.refuse(error))?;
        Ok(Response::new(GetAccountResponse { account: Some(render::account(&account)) }))
    }

    async fn update_profile(
        &self,
        request: Request<UpdateProfileRequest>,
    ) -> Result<Response<UpdateProfileResponse>, Status> {
        let call = Call::of(&request);
        let caller = call.caller(&self.0).await?;
        let update = parse::update_profile(request.into_inner())?;
        let updated = self.0.update_profile(&caller, &update, call.device()).await;
        let account = updated.map_err(|error| call.refuse(error))?;
        Ok(Response::new(UpdateProfileResponse { account: Some(render::account(&account)) }))
    }

    async fn change_password(
        &self,
        request: Request<ChangePasswordRequest>,
    ) -> Result<Response<ChangePasswordResponse>, Status> {
        let call = Call::of(&request);
        let caller = call.caller(&self.0).await?;
        let command = parse::change_password(request.get_ref(), self.0.password_policy(), &call)?;
        let changed = self.0.change_password(&caller, command).await.map_err(|error| call.refuse(error))?;
        Ok(render::signed_in(&changed, call.delivery(), |signed_in| ChangePasswordResponse {
            signed_in: Some(signed_in),
        }))
    }

    async fn change_email(
        &self,
        request: Request<ChangeEmailRequest>,
    ) -> Result<Response<ChangeEmailResponse>, Status> {
        let call = Call::of(&request);
        let caller = call.fresh_caller(&self.0).await?;
        let email = parse::email(&request.get_ref().email)?;
        let asked = self.0.request_email_change(&caller, email, call.device()).await;
        asked.map_err(|error| call.refuse(error))?;
        Ok(Response::new(ChangeEmailResponse {}))
    }

    async fn confirm_email_change(
        &self,
        request: Request<ConfirmEmailChangeRequest>,
    ) -> Result<Response<ConfirmEmailChangeResponse>, Status> {
        let call = Call::of(&request);
        let caller = call.caller(&self.0).await?;
        let proof = parse::confirm_email_change(request.into_inner())?;
        let confirmed = self.0.confirm_email_change(&caller, &proof, call.device()).await;
        confirmed.map_err(|error| call.refuse(error))?;
        Ok(Response::new(ConfirmEmailChangeResponse {}))
    }

    async fn delete_account(
        &self,
        request: Request<DeleteAccountRequest>,
    ) -> Result<Response<DeleteAccountResponse>, Status> {
        let call = Call::of(&request);
        let caller = call.fresh_caller(&self.0).await?;
        let scheduled = self.0.delete_account(&caller, call.device()).await;
        let at = scheduled.map_err(|error| call.refuse(error))?;
        let mut response = Response::new(DeleteAccountResponse { deletes_at: Some(render::timestamp(at)) });
        call.clear_cookies(response.metadata_mut());
        Ok(response)
    }

    async fn export_account(
        &self,
        request: Request<ExportAccountRequest>,
    ) -> Result<Response<ExportAccountResponse>, Status> {
        let call = Call::of(&request);
        let caller = call.fresh_caller(&self.0).await?;
        let exported = self.0.export_account(&caller, call.device()).await;
        let (account, belongings) = exported.map_err(|error| call.refuse(error))?;
        Ok(Response::new(ExportAccountResponse { json: export::json(&account, &belongings).to_string() }))
    }

    async fn reauthenticate(
        &self,
        request: Request<ReauthenticateRequest>,
    ) -> Result<Response<ReauthenticateResponse>, Status> {
        let call = Call::of(&request);
        let caller = call.caller(&self.0).await?;
        let password = parse::current_password("password", &request.get_ref().password)?;
        let proven = self.0.reauthenticate(&caller, password, call.device()).await;
        let proven = proven.map_err(|error| call.refuse(error))?;
        Ok(render::signed_in(&proven, call.delivery(), |signed_in| ReauthenticateResponse {
            signed_in: Some(signed_in),
        }))
    }

    async fn list_sessions(
        &self,
        request: Request<ListSessionsRequest>,
    ) -> Result<Response<ListSessionsResponse>, Status> {
        let call = Call::of(&request);
        let caller = call.caller(&self.0).await?;
        let sessions = self.0.sessions(&caller).await.map_err(|error| call.refuse(error))?;
        Ok(Response::new(render::sessions(&caller, &sessions)))
    }

    async fn revoke_session(
        &self,
        request: Request<RevokeSessionRequest>,
    ) -> Result<Response<RevokeSessionResponse>, Status> {
        let call = Call::of(&request);
        let caller = call.caller(&self.0).await?;
        let session = parse::session_id(&request.get_ref().session_id)?;
        let revoked = self.0.revoke_session(&caller, session, call.device()).await;
        revoked.map_err(|error| call.refuse(error))?;
        let mut response = Response::new(RevokeSessionResponse {});
        if session == caller.session() {
            call.clear_cookies(response.metadata_mut());
        }
        Ok(response)
    }

    async fn revoke_other_sessions(
        &self,
        request: Request<RevokeOtherSessionsRequest>,
    ) -> Result<Response<RevokeOtherSessionsResponse>, Status> {
        let call = Call::of(&request);
        let caller = call.caller(&self.0).await?;
        let ended = self.0.revoke_other_sessions(&caller, call.device()).await;
        let ended = ended.map_err(|error| call.refuse(error))?;
        Ok(Response::new(RevokeOtherSessionsResponse { ended: u32::try_from(ended).unwrap_or(u32::MAX) }))
    }
}
