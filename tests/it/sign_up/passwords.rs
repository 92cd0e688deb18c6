//! What may be chosen as a password, what is the same password, and what is kept of it.

use countersign::proto::{LoginRequest, SignUpRequest};
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::support::{
    Engine, PASSWORD, TestApp,
    grpc::{Client, login, login_request, sign_up, sign_up_request, summary},
    on_both_engines,
};

const HASH: &str = "SELECT password_hash FROM users";

async fn choose(client: &mut Client, email: &str, password: &str) -> Result<(), Status> {
    let request = SignUpRequest { password: password.to_owned(), ..sign_up_request(email) };
    client.sign_up(request).await.map(drop)
}

/// Whether a password signs in; anything but yes and no ends the test.
async fn opens(client: &mut Client, email: &str, password: &str) -> bool {
    let request = LoginRequest { password: password.to_owned(), ..login_request(email) };
    match client.login(request).await {
        Ok(_) => true,
        Err(status) => {
            assert_eq!(summary(&status), "Unauthenticated BAD_CREDENTIALS");
            false
        }
    }
}

#[tokio::test]
async fn a_weak_password_is_refused_and_the_reason_said() {
    let app = TestApp::spawn(Engine::Sqlite).await;
    let mut client = app.client().await;
    let too_long = "must have at most 256 characters and 1024 bytes";
    let common = "is one of the most common passwords; choose another";
    for (password, why) in [
        (String::new(), "must have at least 15 characters"),
        ("fourteen chars".to_owned(), "must have at least 15 characters"),
        // Counted are code points in NFC, not bytes and not what was typed.
        ("🔑".repeat(14), "must have at least 15 characters"),
        ("e\u{301}".repeat(14), "must have at least 15 characters"),
        ("a".repeat(257), too_long),
        ("🔑".repeat(257), too_long),
        ("1qaz2wsx3edc4rfv".to_owned(), common),
        ("1QAZ2wsx3EDC4rfv".to_owned(), common),
    ] {
        let refusal = choose(&mut client, "ada@example.com", &password).await.unwrap_err();
        assert_eq!(summary(&refusal), "InvalidArgument WEAK_PASSWORD password", "{password:?}");
        let violations = refusal.get_error_details().bad_request().unwrap().field_violations.clone();
        assert_eq!(violations[0].description, why, "{password:?}");
        assert!(password.is_empty() || !refusal.message().contains(&password), "{refusal:?}");
    }
    assert_eq!(app.database.number("SELECT COUNT(*) FROM users").await, 0);
    for (number, password) in
        ["fifteen letters", &"🔑".repeat(15), &"e\u{301}".repeat(15), &"🔑".repeat(256)].into_iter().enumerate()
    {
        let email = format!("ada{number}@example.com");
        choose(&mut client, &email, password).await.unwrap();
        assert!(opens(&mut client, &email, password).await, "{password:?}");
    }
}

on_both_engines! {
    async fn one_password_is_typed_in_two_ways_and_nothing_else_is_the_same(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        let (composed, decomposed) = ("caf\u{e9} cr\u{e8}me br\u{fb}l\u{e9}e", "cafe\u{301} cre\u{300}me bru\u{302}le\u{301}e");
        for (email, chosen, typed) in
            [("ada@example.com", composed, decomposed), ("eve@example.com", decomposed, composed)]
        {
            choose(&mut client, email, chosen).await.unwrap();
            assert!(opens(&mut client, email, chosen).await);
            assert!(opens(&mut client, email, typed).await);
            for other in [
                format!("{chosen} "), format!(" {chosen}"), format!("{chosen}\0"), format!("{chosen}\n"), chosen.to_uppercase(),
                chosen.replace(' ', "\u{a0}"), chosen.replace(' ', ""), "cafe creme brulee".to_owned(),
            ] {
                assert!(!opens(&mut client, email, &other).await, "{other:?}");
            }
        }
        choose(&mut client, "cyd@example.com", "ends with a space ").await.unwrap();
        assert!(opens(&mut client, "cyd@example.com", "ends with a space ").await);
        assert!(!opens(&mut client, "cyd@example.com", "ends with a space").await);
    }

    async fn every_one_of_64_signs_matters(engine) {
        let app = TestApp::spawn(engine).await;
        let mut client = app.client().await;
        let signs: Vec<char> = ('\u{1f600}'..).take(64).collect();
        choose(&mut client, "ada@example.com", &signs.iter().collect::<String>()).await.unwrap();
        assert!(opens(&mut client, "ada@example.com", &signs.iter().collect::<String>()).await);
        for position in 0..signs.len() {
            let mut other = signs.clone();
            other[position] = '\u{1f511}';
            assert!(!opens(&mut client, "ada@example.com", &other.iter().collect::<String>()).await, "{position}");
        }
        assert!(!opens(&mut client, "ada@example.com", &signs[..63].iter().collect::<String>()).await);
    }

    async fn a_hash_is_made_anew_when_the_parameters_rose_and_never_when_they_fell(engine) {
        let app = TestApp::spawn(engine).await;
        sign_up(&mut app.client().await, "ada@example.com").await;
        let first = app.database.text(HASH).await.unwrap();
        assert!(first.starts_with("$argon2id$v=19$m=32,t=1,p=1$"), "{first}");

        let app = app.restart_with(|setup| setup.hashing.memory_kib = 64).await;
        let mut client = app.client().await;
        assert!(!opens(&mut client, "ada@example.com", "not the password at all").await);
        assert_eq!(app.database.text(HASH).await.unwrap(), first, "a guess changes nothing");
        assert!(login(&mut client, "ada@example.com").await.is_ok());
        let second = app.database.text(HASH).await.unwrap();
        assert!(second.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{second}");
        assert!(login(&mut client, "ada@example.com").await.is_ok());
        assert_eq!(app.database.text(HASH).await.unwrap(), second, "once");

        let app = app.restart_with(|setup| setup.hashing.memory_kib = 32).await;
        let mut client = app.client().await;
        assert!(opens(&mut client, "ada@example.com", PASSWORD).await);
        assert_eq!(app.database.text(HASH).await.unwrap(), second, "a better one is kept");
    }
}
