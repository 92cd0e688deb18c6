//! A service on tonic that lets in whoever countersign knows: here one that tells its health to signed-in people alone.
//!
//! Beside a countersign that was started with `cargo run`: `cargo run -p countersign-client --example tonic`, then
//! `grpcurl -plaintext -H "authorization: Bearer $ACCESS" -import-path … -proto health.proto localhost:8081 \
//! grpc.health.v1.Health/Check`.

use std::{
    env,
    error::Error,
    io::{Write as _, stdout},
};

use countersign_client::{AuthLayer, Claims, Verifier};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_check_response::ServingStatus,
    health_server::{Health, HealthServer},
};

struct Private;

#[tonic::async_trait]
impl Health for Private {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        // There, whenever the layer is.
        let claims = request.extensions().get::<Claims>().ok_or_else(|| Status::internal("the layer is missing"))?;
        let status = if claims.has_role("admin") { ServingStatus::Serving } else { ServingStatus::Unknown };
        Ok(Response::new(HealthCheckResponse { status: status.into() }))
    }

    type WatchStream = tokio_stream::Empty<Result<HealthCheckResponse, Status>>;

    async fn watch(&self, _: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("see check"))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The issuer is what countersign calls itself, `server.public_url`.
    let mut verifier = Verifier::builder("http://localhost:50051");
    if let Some(keys_url) = env::args().nth(1) {
        verifier = verifier.keys_url(keys_url);
    }
    let server = Server::builder().layer(AuthLayer::new(verifier.build()?)).add_service(HealthServer::new(Private));

    let listener = TcpListener::bind(env::args().nth(2).as_deref().unwrap_or("127.0.0.1:8081")).await?;
    writeln!(stdout(), "listening on http://{}", listener.local_addr()?)?;
    Ok(server.serve_with_incoming(TcpListenerStream::new(listener)).await?)
}
