//! What people say of themselves: each field for itself, theirs alone, and nothing that only the service decides.

use std::collections::{BTreeSet, HashMap};

use countersign::proto::{
    Account, ExportAccountRequest, GetAccountRequest, Metadata, SignedIn, UpdateProfileRequest, WhoAmIRequest,
};
use tonic::Status;

use crate::support::{
    TestApp,
    codes::CONFIRM,
    grpc::{login, refresh, summary, with_bearer},
    http::frame,
    on_both_engines,
    wire::{Wire, frame_of},
};

fn token(signed_in: &SignedIn) -> &str {
    &signed_in.tokens.as_ref().unwrap().access_token
}

async fn account(app: &TestApp, of: &SignedIn) -> Account {
    let answer = app.account().await.get_account(with_bearer(GetAccountRequest {}, token(of))).await.unwrap();
    answer.into_inner().account.unwrap()
}

async fn update(app: &TestApp, by: &SignedIn, request: UpdateProfileRequest) -> Result<Account, Status> {
    let answer = app.account().await.update_profile(with_bearer(request, token(by))).await?;
    Ok(answer.into_inner().account.unwrap())
}

fn metadata(entries: &[(&str, &str)]) -> Metadata {
    let entries: HashMap<_, _> = entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Metadata { entries }
}

on_both_engines! {
    async fn what_is_present_changes_and_what_is_absent_stays(engine) {
        let app = TestApp::spawn(engine).await;
        let ada = app.signed_in("ada@example.com").await;
        let before = account(&app, &ada).await;
        assert_eq!((before.locale.as_str(), before.metadata.len()), ("en", 0));

        let all = UpdateProfileRequest {
            display_name: Some("Ada Lovelace".to_owned()),
            locale: Some("de-AT".to_owned()),
            metadata: Some(metadata(&[("theme", "dark"), ("team", "blue")])),
        };
        let changed = update(&app, &ada, all).await.unwrap();
        assert_eq!(changed, account(&app, &ada).await);
        assert_eq!(changed.user.as_ref().unwrap().display_name, "Ada Lovelace");
        assert_eq!(changed.locale, "de");
        assert_eq!(changed.metadata, metadata(&[("theme", "dark"), ("team", "blue")]).entries);

        let nothing = update(&app, &ada, UpdateProfileRequest::default()).await.unwrap();
        assert_eq!(nothing, changed);
        let some = UpdateProfileRequest {
            display_name: Some(String::new()),
            metadata: Some(metadata(&[("theme", "light")])),
            locale: None,
        };
        let again = update(&app, &ada, some).await.unwrap();
        assert_eq!(again.user.unwrap().display_name, "", "present and empty");
        assert_eq!((again.locale.as_str(), again.metadata), ("de", metadata(&[("theme", "light")]).entries));
        let cleared = UpdateProfileRequest { metadata: Some(Metadata::default()), ..UpdateProfileRequest::default() };
        assert_eq!(update(&app, &ada, cleared).await.unwrap().metadata.len(), 0);
        let request = with_bearer(WhoAmIRequest {}, token(&ada));
        let who = app.client().await.who_am_i(request).await.unwrap().into_inner();
        assert_eq!(who.user.unwrap().display_name, "", "at once, on this node");
    }

    async fn every_field_that_is_wrong_is_named_and_none_is_changed(engine) {
        let app = TestApp::spawn(engine).await;
        let ada = app.signed_in("ada@example.com").await;
        let before = account(&app, &ada).await;
        let wrong = UpdateProfileRequest {
            display_name: Some("\u{202e}x".to_owned()),
            locale: Some("tlh".to_owned()),
            metadata: Some(metadata(&[("Key", "x")])),
        };
        let refusal = update(&app, &ada, wrong).await.unwrap_err();
        assert_eq!(summary(&refusal), "InvalidArgument INVALID_FIELDS display_name,locale,metadata");
        let one = UpdateProfileRequest {
            display_name: Some("Ada".to_owned()),
            locale: None,
            metadata: Some(metadata(&[("key", "a\0b")])),
        };
        assert_eq!(summary(&update(&app, &ada, one).await.unwrap_err()), "InvalidArgument INVALID_FIELDS metadata");
        assert_eq!(account(&app, &ada).await, before);
    }

    // A8: a client that sends more than the message has is not believed, and another person's account is not reached.
    async fn a8_nobody_gives_themselves_what_only_the_service_gives(engine) {
        let app = TestApp::spawn(engine).await;
        let (ada, eve) = (app.signed_in("ada@example.com").await, app.signed_in("eve@example.com").await);
        let eve_before = account(&app, &eve).await;
        let bearer = format!("Bearer {}", token(&ada));
        // The user message's own fields, under every number that the request does not have: id, roles, email_verified.
        let mut forged = prost::Message::encode_to_vec(&UpdateProfileRequest::default());
        for number in 4_u8..16 {
            forged.extend([number << 3 | 2, 5]);
            forged.extend(b"admin");
        }
        let answer =
            Wire::Native.call(&app, "AccountService/UpdateProfile", &frame_of(&forged), &[("authorization", &bearer)]).await;
        assert_eq!(answer.outcome(), "Ok");
        let known: [(&str, &[u8]); 2] = [
            ("VerifyEmail", &frame(&countersign::proto::User { email_verified: true, ..Default::default() })),
            ("ResendVerification", &frame(&countersign::proto::User { id: "ada@example.com".to_owned(), ..Default::default() })),
        ];
        for (method, message) in known {
            Wire::Native.call(&app, method, message, &[]).await;
        }
        assert_eq!(app.database.number("SELECT COUNT(*) FROM users WHERE email_verified_at IS NOT NULL OR roles <> ''").await, 0);
        assert_eq!(account(&app, &eve).await, eve_before);
    }

    // A3: what a token says is what the database said when it was made, and the next one says what it says now.
    async fn a3_the_next_token_has_the_roles_of_now(engine) {
        let app = TestApp::spawn(engine).await;
        let ada = app.signed_in("ada@example.com").await;
        app.database.execute("UPDATE users SET roles = 'billing.read'").await;
        assert_eq!(account(&app, &ada).await.user.unwrap().roles, ["billing.read"], "asked of the database");
        let mut client = app.client().await;
        refresh(&mut client, &ada.tokens.unwrap().refresh_token).await.unwrap();
        assert_eq!(login(&mut client, "ada@example.com").await.unwrap().user.unwrap().roles, ["billing.read"]);
    }

    async fn a_person_gets_all_that_is_stored_of_them_and_no_secret(engine) {
        let app = TestApp::spawn(engine).await;
        let ada = app.signed_in("ada@example.com").await;
        app.signed_in("eve@example.com").await;
        let mailed = app.mailed("ada@example.com", CONFIRM).await;
        let named = UpdateProfileRequest { metadata: Some(metadata(&[("team", "blue")])), ..UpdateProfileRequest::default() };
        update(&app, &ada, named).await.unwrap();

        let answer = app.account().await.export_account(with_bearer(ExportAccountRequest {}, token(&ada))).await.unwrap();
        let json = answer.into_inner().json;

        let export: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(export["user"]["id"], ada.user.clone().unwrap().id.as_str());
        assert_eq!(export["user"]["email"], "ada@example.com");
        assert_eq!(export["user"]["metadata"]["team"], "blue");
        assert_eq!(export["sessions"][0]["id"], ada.session.unwrap().id.as_str());
        assert_eq!(export["sessions"][0]["address"], "127.0.0.1");
        assert_eq!(export["codes"][0]["purpose"], "verify_email");
        for part in ["sessions", "devices", "codes"] {
            assert_eq!(export[part].as_array().unwrap().len(), 1, "{part}");
        }
        let kinds: Vec<_> = export["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect();
        let kinds: BTreeSet<_> = kinds.into_iter().collect();
        assert_eq!(kinds, ["account_exported", "profile_updated", "signed_in", "signed_up"].into());
        for secret in ["argon2", "eve@example.com", &mailed.token, &mailed.digits, "cs_", "v4.", "salt", "digest"] {
            assert!(!json.contains(secret), "{secret}");
        }
    }
}
