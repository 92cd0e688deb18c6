//! A thief has the whole database, every row of every table, and knows how the service works: it opens nothing.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign::{
    app::{CodeProof, Error, Rejection, ResetPassword},
    domain::{CodeToken, Device, Generation, NewPassword, RefreshToken, RefreshTokenParts, SessionId},
    proto::{ChangeEmailRequest, LoginRequest, LogoutRequest, ResendVerificationRequest, Tokens, VerifyEmailRequest},
};

use super::{authenticate, forge::Forge, refresh};
use crate::support::{
    Database, Engine, PASSWORD, TestApp,
    codes::{CONFIRM, CONFIRM_NEW, Mailed, NEW_PASSWORD},
    grpc::{self, Client, login, login_request, sign_up, summary, with_bearer},
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
    bare.flat_map(|text| {
        let prefixes = ["cs_rt_", "cs_ot_", "cs_dt_", "v4.public.", "v4.local.", ""];
        prefixes.map(|prefix| format!("{prefix}{text}"))
    })
    .collect()
}

/// What people have of a service that has seen some life: on their devices, and in their mailboxes.
struct Held {
    tokens: Vec<Tokens>,
    codes: Vec<Mailed>,
}

/// Such a service.
async fn lived_in(engine: Engine) -> (TestApp, Forge, Held) {
    let (app, forge) = Forge::behind(engine).await;
    let mut client = app.client().await;
    let first = app.signed_in("ada@example.com").await.tokens.unwrap();
    let second = grpc::refresh(&mut client, &first.refresh_token).await.unwrap();
    let left = app.signed_in("eve@example.com").await.tokens.unwrap();
    client.logout(with_bearer(LogoutRequest::default(), &left.access_token)).await.unwrap();
    sign_up(&mut client, "ada@example.com").await;
    login(&mut client, "eve@example.com").await.unwrap();
    app.app.disable_user(&"eve@example.com".parse().unwrap()).await.unwrap();
    let mut codes = vec![app.mailed("ada@example.com", CONFIRM).await, app.reset("ada@example.com").await];
    let request = ChangeEmailRequest { email: "ada@new.example".to_owned() };
    app.account().await.change_email(with_bearer(request, &second.access_token)).await.unwrap();
    codes.push(app.mailed("ada@new.example", CONFIRM_NEW).await);
    // One more letter, which is still on its way.
    let errand = ResendVerificationRequest { email: "bob@example.com".to_owned() };
    client.resend_verification(errand).await.unwrap();
    (app, forge, Held { tokens: vec![first, second, left], codes })
}

async fn verify(client: &mut Client, token: &str) -> String {
    let request = VerifyEmailRequest { token: token.to_owned(), ..VerifyEmailRequest::default() };
    client.verify_email(request).await.map_or_else(|status| summary(&status), |_| "Ok".to_owned())
}

fn code_refusal(offer: &str) -> &'static str {
    match offer.len() {
        0 => "InvalidArgument INVALID_FIELDS email,code",
        1..=512 => "FailedPrecondition CODE_INVALID",
        _ => "InvalidArgument INVALID_FIELDS token",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// All that must not lie in the database, in every spelling.
fn secrets(app: &TestApp, forge: &Forge, held: &Held) -> Vec<(&'static str, Vec<u8>)> {
    let master = app.setup.master_keys.strip_prefix("cs_mk_").unwrap();
    let mut secrets = vec![
        ("the password", PASSWORD.as_bytes().to_vec()),
        ("the seed of the signing key", forge.seed.to_vec()),
        ("the seed in hex", hex(&forge.seed).into_bytes()),
        ("the seed in base64url", URL_SAFE_NO_PAD.encode(forge.seed).into_bytes()),
        ("the master key's text", master.as_bytes().to_vec()),
        ("the master key", URL_SAFE_NO_PAD.decode(master).unwrap()),
    ];
    for code in &held.codes {
        let bytes = CodeToken::from_text(code.token.clone()).bytes().unwrap();
        secrets.push(("a code's token", code.token.as_bytes()[6..].to_vec()));
        secrets.push(("a code's bytes", bytes.to_vec()));
        secrets.push(("a code's bytes in hex", hex(&bytes).into_bytes()));
        secrets.push(("a code's digits", code.digits.clone().into_bytes()));
    }
    for tokens in &held.tokens {
        if let Some(device) = &tokens.device_token {
            secrets.push(("a device's token", device.as_bytes()[30..].to_vec()));
        }
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
        for column in ["users.password_hash", "sessions.salt", "signing_keys.sealed", "audit_events.kind", "codes.token_digest",
            "codes.digits_digest"] {
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
            assert_eq!(verify(&mut client, &offer).await, code_refusal(&offer), "{offer}");
            let proof = CodeProof::Token(CodeToken::from_text(offer.clone()));
            let password = NewPassword::parse(NEW_PASSWORD, app.setup.policy.passwords).unwrap();
            let command = ResetPassword { proof, password, device: Device::default() };
            let answer = app.app.reset_password(command).await;
            assert!(matches!(answer, Err(Error::Rejected(Rejection::CodeInvalid))), "{offer} {answer:?}");
        }
        let whole = held.codes[1].reset_by_token(NEW_PASSWORD);
        assert_eq!(app.database.number("SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL").await, rows);
        assert!(grpc::refresh(&mut client, &held.tokens[1].refresh_token).await.is_ok(), "whom it belongs to is not disturbed");
        assert!(client.reset_password(whole).await.is_ok(), "nor is who has the letter");
    }

    async fn a_refresh_token_cannot_be_put_together_from_a_row(engine) {
        let (app, _, held) = lived_in(engine).await;
        let values = dump(&app.database, engine).await;
        let of = |column| values.iter().filter(move |(name, _)| name == column).map(|(_, value)| value.clone());
        let real = RefreshToken::from_text(held.tokens[1].refresh_token.clone()).parts().unwrap();
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
        assert!(refresh(&app.app, &held.tokens[1].refresh_token).await.is_ok());
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
