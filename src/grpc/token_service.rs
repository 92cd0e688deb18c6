//! `countersign.v1.TokenService`.

use std::time::Duration;

use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::{call::Call, parse, render};
use crate::{
    app::{Backend, Error, Verifier, Watch},
    proto::{
        self, BatchVerifyTokensRequest, BatchVerifyTokensResponse, ListPublicKeysRequest, ListPublicKeysResponse,
        VerifyTokenRequest, VerifyTokenResponse, WatchRevocationsRequest, WatchRevocationsResponse,
        token_service_server::TokenService,
    },
};

/// How many messages may wait for a listener that reads slowly.
const AHEAD: usize = 16;
/// How long they may.
const PATIENCE: Duration = Duration::from_secs(30);

/// What other services ask about tokens, over the wire.
#[derive(Debug, Clone)]
pub struct TokenApi(Verifier);

impl TokenApi {
    /// Answers with `verifier`.
    #[must_use]
    pub fn new(verifier: Verifier) -> Self {
        Self(verifier)
    }

    fn backend(&self, call: &Call) -> Result<Backend, Error> {
        self.0.authenticate_backend(call.backend_key()?.as_ref())
    }

    /// How old an answer is that does not come out of the database.
    fn age(&self, is_strong: bool) -> prost_types::Duration {
        render::duration(if is_strong { Duration::ZERO } else { self.0.age_of_revocations() })
    }
}

#[tonic::async_trait]
impl TokenService for TokenApi {
    async fn verify_token(
        &self,
        request: Request<VerifyTokenRequest>,
    ) -> Result<Response<VerifyTokenResponse>, Status> {
        let call = Call::of(&request);
        let backend = self.backend(&call).map_err(|error| call.refuse(error))?;
        let question = parse::verify_token(request.into_inner());
        let revocations_age = Some(self.age(question.is_strong));
        let verified = self.0.verify_token(&backend, &question).await.map_err(|error| call.refuse(error))?;
        Ok(Response::new(VerifyTokenResponse { status: Some(render::token_status(verified)), revocations_age }))
    }

    async fn batch_verify_tokens(
        &self,
        request: Request<BatchVerifyTokensRequest>,
    ) -> Result<Response<BatchVerifyTokensResponse>, Status> {
        let call = Call::of(&request);
        let backend = self.backend(&call).map_err(|error| call.refuse(error))?;
        let revocations_age = Some(self.age(request.get_ref().strong));
        let mut statuses = Vec::new();
        for question in parse::verify_tokens(request.into_inner())? {
            let verified = self.0.verify_token(&backend, &question).await.map_err(|error| call.refuse(error))?;
            statuses.push(render::token_status(verified));
        }
        Ok(Response::new(BatchVerifyTokensResponse { statuses, revocations_age }))
    }

    type WatchRevocationsStream = ReceiverStream<Result<WatchRevocationsResponse, Status>>;

    async fn watch_revocations(
        &self,
        request: Request<WatchRevocationsRequest>,
    ) -> Result<Response<Self::WatchRevocationsStream>, Status> {
        let call = Call::of(&request);
        let watching = async {
            let backend = self.backend(&call)?;
            let WatchRevocationsRequest { resume_token, as_edge } = request.get_ref();
            self.0.watch_revocations(backend, resume_token, *as_edge).await
        };
        let watch = watching.await.map_err(|error| call.refuse(error))?;
        let (sender, receiver) = mpsc::channel(AHEAD);
        tokio::spawn(tell(self.0.clone(), watch, call, sender));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn list_public_keys(
        &self,
        request: Request<ListPublicKeysRequest>,
    ) -> Result<Response<ListPublicKeysResponse>, Status> {
        let keys = self.0.public_keys().map_err(|error| Call::of(&request).refuse(error))?;
        let proto::PublicKeySet { issuer, keys } = render::public_keys(keys);
        Ok(Response::new(ListPublicKeysResponse { issuer, keys }))
    }
}

/// Tells a listener everything, until it leaves, is told to, or reads nothing for too long.
async fn tell(
    verifier: Verifier,
    mut watch: Watch,
    call: Call,
    listener: mpsc::Sender<Result<WatchRevocationsResponse, Status>>,
) {
    loop {
        let message = tokio::select! {
            next = watch.next() => match next {
                Ok(Some(event)) => Ok(render::watch_event(&verifier, event)),
                Ok(None) => return,
                Err(error) => Err(call.refuse(error)),
            },
            () = listener.closed() => return,
        };
        let is_last = message.is_err();
        if !matches!(timeout(PATIENCE, listener.send(message)).await, Ok(Ok(()))) || is_last {
            return;
        }
    }
}
