//! A row that breaks our rules: a fault of ours with an id to quote, no panic, and nothing of the row in the answer.

use countersign::proto::{RefreshRequest, Tokens};
use prost::Message as _;
use tonic::Status;

use super::expect_internal;
use crate::support::{
    Engine, TestApp,
    grpc::login_request,
    http::Reply,
    on_both_engines,
    wire::{Wire, frame_of},
};

/// Stands in the corrupt values, and must not stand in any answer.
const MARK: &str = "corrupt-9f3";

/// A value that a column must not have, in SQL, and the calls that read it.
struct Damage(&'static str, &'static str, &'static [Call]);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Login,
    Refresh,
    WhoAmI,
}
use Call::{Login, Refresh, WhoAmI};

const DAMAGES: [Damage; 18] = [
    Damage("users", "email = 'corrupt-9f3'", &[Login, Refresh, WhoAmI]),
    Damage("users", "email = ''", &[Login, Refresh, WhoAmI]),
    Damage("users", "email = 'corrupt-9f3@example.com'", &[Login, Refresh, WhoAmI]),
    // Nobody finds the account by its address any more; its session does.
    Damage("users", "email_key = 'corrupt-9f3@example.com'", &[Refresh, WhoAmI]),
    Damage("users", "display_name = 'corrupt-9f3\u{7}'", &[Login, Refresh, WhoAmI]),
    Damage("users", "roles = 'Corrupt-9f3'", &[Login, Refresh, WhoAmI]),
    Damage("users", "roles = 'reader corrupt-9f3!'", &[Login, Refresh, WhoAmI]),
    Damage("users", "password_hash = 'corrupt-9f3'", &[Login]),
    Damage("users", "password_hash = ''", &[Login]),
    Damage("users", "password_hash = '$argon2id$v=19$m=4194304,t=1,p=1$Y29ycnVwdC05ZjM$Y29ycnVwdC05ZjM'", &[Login]),
    Damage("sessions", "salt = BYTES'636f72727570742d396633'", &[Refresh, WhoAmI]),
    Damage("sessions", "salt = BYTES''", &[Refresh, WhoAmI]),
    Damage("sessions", "generation = -1", &[Refresh, WhoAmI]),
    Damage("sessions", "generation = 4294967296", &[Refresh, WhoAmI]),
    Damage("sessions", "end_reason = 'signed_out'", &[Refresh, WhoAmI]),
    Damage("sessions", "end_reason = 'corrupt-9f3'", &[Refresh, WhoAmI]),
    Damage("sessions", "ended_at = 1", &[Refresh, WhoAmI]),
    Damage("sessions", "ended_at = 1, end_reason = 'corrupt-9f3'", &[Refresh, WhoAmI]),
];

impl Damage {
    async fn do_to(&self, app: &TestApp, engine: Engine, email: &str) {
        let bytes = match engine {
            Engine::Sqlite => "X'",
            Engine::Postgres => "BYTEA '\\x",
        };
        let which = match self.0 {
            "users" => format!("email_key = '{email}'"),
            _ => format!("user_id = (SELECT id FROM users WHERE email_key = '{email}')"),
        };
        let sql = format!("UPDATE {} SET {} WHERE {which}", self.0, self.1.replace("BYTES'", bytes));
        app.database.execute(&sql).await;
    }
}

impl Call {
    async fn make(self, app: &TestApp, wire: Wire, email: &str, tokens: &Tokens) -> Reply {
        let bearer = format!("Bearer {}", tokens.access_token);
        let refresh_token = tokens.refresh_token.clone();
        match self {
            Login => wire.call(app, "Login", &frame_of(&login_request(email).encode_to_vec()), &[]).await,
            Refresh => {
                let message = RefreshRequest { refresh_token, delivery: 0 }.encode_to_vec();
                wire.call(app, "Refresh", &frame_of(&message), &[]).await
            }
            WhoAmI => wire.call(app, "WhoAmI", &frame_of(b""), &[("authorization", &bearer)]).await,
        }
    }

    /// What the call is told that does not come across the damage.
    fn otherwise(self, damage: &Damage) -> &'static str {
        if self == Login && damage.1.starts_with("email_key") { "Unauthenticated BAD_CREDENTIALS" } else { "Ok" }
    }
}

on_both_engines! {
    async fn a_corrupt_row_is_a_fault_that_tells_nothing(engine) {
        let app = TestApp::spawn(engine).await;
        for (number, damage) in DAMAGES.iter().enumerate() {
            let email = format!("user{number}@example.com");
            let tokens = app.signed_in(&email).await.tokens.unwrap();
            damage.do_to(&app, engine, &email).await;
            for (call, wire) in [Login, Refresh, WhoAmI].into_iter().flat_map(|call| Wire::ALL.map(|wire| (call, wire))) {
                let reply = call.make(&app, wire, &email, &tokens).await;
                if damage.2.contains(&call) {
                    assert!(reply.body.is_empty(), "{call:?} {}", damage.1);
                    expect_internal(&Status::from_header_map(&reply.headers).unwrap());
                    let said = format!("{:?} {:?}", reply.headers, Status::from_header_map(&reply.headers));
                    assert!(!said.to_lowercase().contains(MARK), "{call:?}: {said}");
                } else {
                    assert_eq!(reply.outcome(), call.otherwise(damage), "{call:?} {wire:?} {}", damage.1);
                }
            }
        }
        assert!(app.signed_in("ada@example.com").await.tokens.is_some(), "and nobody else is the worse for it");
    }
}
