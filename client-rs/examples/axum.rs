//! A service on axum that lets in whoever countersign knows.
//!
//! Beside a countersign that was started with `cargo run`:
//! `cargo run -p countersign-client --example axum`, then `curl -H "authorization: Bearer $ACCESS" localhost:8080/me`.

use std::{
    env,
    error::Error,
    io::{Write as _, stdout},
    time::Duration,
};

use axum::{
    Router,
    routing::{get, post},
};
use countersign_client::{AuthLayer, Claims, Verifier};
use tokio::net::TcpListener;

async fn me(claims: Claims) -> String {
    format!("{} with the roles {:?}\n", claims.user, claims.roles)
}

async fn front_page(claims: Option<Claims>) -> String {
    claims.map_or_else(|| "Hello, stranger\n".to_owned(), |claims| format!("Hello, {}\n", claims.user))
}

async fn everything(claims: Claims) -> String {
    format!("{} sees everything\n", claims.user)
}

async fn deleted(claims: Claims) -> String {
    format!("{} is gone\n", claims.user)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The issuer is what countersign calls itself, `server.public_url`.
    let mut verifier = Verifier::builder("http://localhost:50051");
    if let Some(keys_url) = env::args().nth(1) {
        verifier = verifier.keys_url(keys_url);
    }
    let signed_in = AuthLayer::new(verifier.build()?);

    // A layer covers the routes that were added before it.
    let app = Router::new()
        .route("/me", get(me))
        .layer(signed_in.clone())
        .merge(Router::new().route("/admin", get(everything)).layer(signed_in.clone().require_role("admin")))
        .merge(
            Router::new()
                .route("/delete", post(deleted))
                .layer(signed_in.clone().require_fresh(Duration::from_mins(10))),
        )
        .merge(Router::new().route("/", get(front_page)).layer(signed_in.optional()));

    let listener = TcpListener::bind(env::args().nth(2).as_deref().unwrap_or("127.0.0.1:8080")).await?;
    writeln!(stdout(), "listening on http://{}", listener.local_addr()?)?;
    Ok(axum::serve(listener, app).await?)
}
