//! A thief has the whole database, every row of every table, and knows how the service works: it opens nothing.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign::{
    app::Rejection,
    domain::{Generation, RefreshToken, RefreshTokenParts, SessionId},
    proto::{LoginRequest, LogoutRequest, Tokens},
};

use super::{authenticate, forge::Forge, refresh};
use crate::support::{
    Database, Engine, PASSWORD, TestApp,
    grpc::{self, login, login_request, sign_up, summary, with_bearer},
    on_both_engines,
};

/// Every value of every column of every table, with the column's name.
async fn dump(database: &Database, engine: Engine) -> Vec<(String, Vec<u8>)> {
    let queries = match engine {
        Engine::Sqlite => {
            "SELECT CAST(t.name || '.' || c.name || ' SELECT CAST(\"' || c.name || '\" AS BLOB) FROM \"' || t.name
                || '\" WHERE \"' || c.name || '\" IS NOT NULL' AS BLOB)
             FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'"
        }
        Engine::Postgres => {
            "SELECT CONVERT_TO(FORMAT('%s.%s SELECT %s FROM %I WHERE %I IS NOT NULL', table_name, column_name,
                FORMAT(CASE data_type WHEN 'bytea' THEN '%I' WHEN 'uuid' THEN 'uuid_send(%I)'
                ELSE 'CONVERT_TO(%I::text, ''UTF8'')' END, column_name), table_name, column_name), 'UTF8')
             FROM information_schema.columns WHERE table_schema = current_schema()"
        }
    };
    let mut values = Vec::new();
    for query in database.bytes(queries).await {
        let query = String::from_utf8(query).unwrap();
        let (column, query) = query.split_once(' ').unwrap();
        values.extend(database.bytes(query).await.into_iter().map(|value| (column.to_owned(), value)));
    }
    values
}

/// The ways in which somebody might offer a stolen value.
fn offers(value: &[u8]) -> Vec<String> {
    let text = String::from_utf8(value.to_vec()).ok();
    let bare = text.into_iter().chain([hex(value), URL_SAFE_NO_PAD.encode(value)]);
    bare.flat_map(|text| [format!("cs_rt_{text}"), format!("v4.public.{text}"), format!("v4.local.{text}"), text])
        .collect()
}

/// A service that has seen some life, and what its people's devices hold.
async fn lived_in(engine: Engine) -> (TestApp, Forge, Vec<Tokens>) {
    let (app, forge) = Forge::behind(engine).await;
    let mut client = app.client().await;
    let first = app.signed_in("ada@example.com").await.tokens.unwrap();
    let second = grpc::refresh(&mut client, &first.refresh_token).await.unwrap();
    let left = app.signed_in("eve@example.com").await.tokens.unwrap();
    client.logout(with_bearer(LogoutRequest::default(), &left.access_token)).await.unwrap();
    sign_up(&mut client, "ada@example.com").await;
    login(&mut client, "eve@example.com").await.unwrap();
    app.app.disable_user(&"eve@example.com".parse().unwrap()).await.unwrap();
    (app, forge, vec![first, second, left])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// All that must not lie in the database, in every spelling.
fn secrets(app: &TestApp, forge: &Forge, held: &[Tokens]) -> Vec<(&'static str, Vec<u8>)> {
    let master = app.setup.master_keys.strip_prefix("cs_mk_").unwrap();
    let mut secrets = vec![
        ("the password", PASSWORD.as_bytes().to_vec()),
        ("the seed of the signing key", forge.seed.to_vec()),
        ("the seed in hex", hex(&forge.seed).into_bytes()),
        ("the seed in base64url", URL_SAFE_NO_PAD.encode(forge.seed).into_bytes()),
        ("the master key's text", master.as_bytes().to_vec()),
        ("the master key", URL_SAFE_NO_PAD.decode(master).unwrap()),
    ];
    for tokens in held {
        let parts = RefreshToken::from_text(tokens.refresh_token.clone()).parts().unwrap();
        secrets.push(("a part of an access token", tokens.access_token.as_bytes()[200..280].to_vec()));
        secrets.push(("a refresh token", tokens.refresh_token.as_bytes()[6..].to_vec()));
        secrets.push(("a refresh token's tag", parts.tag.to_vec()));
        secrets.push(("a refresh token's check", parts.check.to_vec()));
    }
    secrets
}

on_both_engines! {
    async fn nothing_in_the_database_is_a_secret_in_the_clear(engine) {
        let (app, forge, held) = lived_in(engine).await;
        let values = dump(&app.database, engine).await;
        for column in ["users.password_hash", "sessions.salt", "signing_keys.sealed", "audit_events.kind"] {
            assert!(values.iter().any(|(name, value)| name == column && value.len() > 8), "{column} is looked at");
        }
        for (what, secret) in secrets(&app, &forge, &held) {
            for (column, value) in &values {
                assert!(!contains(value, &secret), "{what} in {column}");
            }
        }
    }

    async fn nothing_in_the_database_opens_anything(engine) {
        let (app, _, held) = lived_in(engine).await;
        let mut client = app.client().await;
        let values = dump(&app.database, engine).await;
        let rows = app.database.number("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL").await;
        for offer in values.iter().flat_map(|(_, value)| offers(value)) {
            assert_eq!(authenticate(&app.app, &offer).await, Err(Rejection::TokenInvalid), "{offer}");
            assert_eq!(refresh(&app.app, &offer).await, Err(Rejection::TokenInvalid), "{offer}");
            let guess = LoginRequest { password: offer.clone(), ..login_request("ada@example.com") };
            let refusal = summary(&client.login(guess).await.unwrap_err());
            let expected = if offer.is_empty() || offer.len() > 1_024 {
                "InvalidArgument INVALID_FIELDS password"
            } else {
                "Unauthenticated BAD_CREDENTIALS"
            };
            assert_eq!(refusal, expected, "{offer}");
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL").await, rows);
        assert!(grpc::refresh(&mut client, &held[1].refresh_token).await.is_ok(), "whom it belongs to is not disturbed");
    }

    async fn a_refresh_token_cannot_be_put_together_from_a_row(engine) {
        let (app, _, held) = lived_in(engine).await;
        let values = dump(&app.database, engine).await;
        let of = |column| values.iter().filter(move |(name, _)| name == column).map(|(_, value)| value.clone());
        let real = RefreshToken::from_text(held[1].refresh_token.clone()).parts().unwrap();
        let salts: Vec<[u8; 32]> = of("sessions.salt").map(|salt| salt.try_into().unwrap()).collect();
        assert_eq!(salts.len(), 3);
        for session in of("sessions.id").map(|id| SessionId::from_bytes(id.try_into().unwrap())) {
            for key_version in 0..=u8::MAX {
                for salt in &salts {
                    let check = salt[..8].try_into().unwrap();
                    for (generation, tag) in [(Generation::FIRST, *salt), (Generation::FIRST.next(), *salt)] {
                        let parts = RefreshTokenParts { key_version, session, generation, check, tag };
                        let offer = RefreshToken::from_parts(&parts).expose().to_owned();
                        assert_eq!(refresh(&app.app, &offer).await, Err(Rejection::TokenInvalid));
                    }
                }
            }
        }
        // Of a token that was overheard in part, the check alone is not enough either.
        for salt in salts {
            let offer = RefreshToken::from_parts(&RefreshTokenParts { tag: salt, ..real.clone() }).expose().to_owned();
            assert_eq!(refresh(&app.app, &offer).await, Err(Rejection::TokenInvalid));
        }
        assert!(refresh(&app.app, &held[1].refresh_token).await.is_ok());
    }
}

/// Not only in its columns: what SQLite leaves lying in its files is looked at too.
#[tokio::test]
async fn nothing_in_the_files_is_a_secret_in_the_clear() {
    let (app, forge, held) = lived_in(Engine::Sqlite).await;
    let Database::Sqlite { folder } = &*app.database else { panic!("SQLite") };
    let mut files = 0;
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for (what, secret) in secrets(&app, &forge, &held) {
            assert!(!contains(&bytes, &secret), "{what} in {}", path.display());
        }
        files += usize::from(contains(&bytes, b"ada@example.com"));
    }
    assert!(files > 0, "there is something to be found");
}
