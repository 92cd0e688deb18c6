//! `countersign.v1.AccountService`.

use tonic::{Request, Response, Status};

use super::{call::Call, cookies, parse, render};
use crate::{
    app::App,
    proto::{
        GetAccountRequest, GetAccountResponse, ListSessionsRequest, ListSessionsResponse, ReauthenticateRequest,
        ReauthenticateResponse, RevokeOtherSessionsRequest, RevokeOtherSessionsResponse, RevokeSessionRequest,
        RevokeSessionResponse, account_service_server::AccountService,
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
        Ok(Response::new(render::account(&account)))
    }

    async fn reauthenticate(
        &self,
        request: Request<ReauthenticateRequest>,
    ) -> Result<Response<ReauthenticateResponse>, Status> {
        let call = Call::of(&request);
        let caller = call.caller(&self.0).await?;
        let password = parse::current_password("password", &request.get_ref().password)?;
        let proven = self.0.reauthenticate(&caller, password, call.device.clone()).await;
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
        let revoked = self.0.revoke_session(&caller, session, call.device.clone()).await;
        revoked.map_err(|error| call.refuse(error))?;
        let mut response = Response::new(RevokeSessionResponse {});
        if let (true, Some(profile)) = (session == caller.session(), call.page) {
            cookies::delete(response.metadata_mut(), profile);
        }
        Ok(response)
    }

    async fn revoke_other_sessions(
        &self,
        request: Request<RevokeOtherSessionsRequest>,
    ) -> Result<Response<RevokeOtherSessionsResponse>, Status> {
        let call = Call::of(&request);
        let caller = call.caller(&self.0).await?;
        let ended = self.0.revoke_other_sessions(&caller, call.device.clone()).await;
        let ended = ended.map_err(|error| call.refuse(error))?;
        Ok(Response::new(RevokeOtherSessionsResponse { ended: u32::try_from(ended).unwrap_or(u32::MAX) }))
    }
}
