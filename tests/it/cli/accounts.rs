//! Accounts that an operator makes, shuts and opens, beside a service that runs.

use countersign::proto::{LoginRequest, TokenDelivery, WhoAmIRequest};

use crate::support::{
    Database, PASSWORD,
    grpc::{Client, login, refresh, summary, with_bearer},
    on_both_engines,
    process::{Binary, in_time},
};

const CREATE: [&str; 5] = ["user", "create", "--password-stdin", "--email", "ada@example.com"];

fn on(database: &Database) -> Binary {
    Binary::default().patient().with("COUNTERSIGN_DATABASE__URL", database.url(None))
}

async fn login_with(client: &mut Client, password: &str) -> String {
    let delivery = TokenDelivery::Body.into();
    let request = LoginRequest { email: "ada@example.com".to_owned(), password: password.to_owned(), delivery };
    summary(&client.login(request).await.unwrap_err())
}

on_both_engines! {
    async fn an_account_made_on_the_command_line_signs_in(engine) {
        let database = Database::create(engine).await;
        let binary = on(&database);
        let roles = ["--role", "support", "--role", "admin", "--display-name", "Ada L."];
        let created = binary.run_with_input(&[&CREATE[..], &roles].concat(), &format!("{PASSWORD}\n")).await;
        assert_eq!(created.code, Some(0), "{created:?}");
        let id = created.stdout.strip_prefix("created ada@example.com, id ").unwrap().trim_end();

        let serving = binary.serve().await;
        let mut client = serving.client().await;
        let user = login(&mut client, "Ada@EXAMPLE.com").await.unwrap().user.unwrap();

        assert_eq!((user.id.as_str(), user.email.as_str()), (id, "ada@example.com"));
        assert_eq!((user.display_name.as_str(), user.roles), ("Ada L.", vec!["admin".to_owned(), "support".to_owned()]));
        assert!(user.email_verified, "the operator vouches for the address");

        for again in ["ada@example.com", "ADA@Example.Com"] {
            let arguments = ["user", "create", "--password-stdin", "--email", again];
            let taken = binary.run_with_input(&arguments, "another horse battery staple\n").await;
            assert_eq!((taken.code, taken.stdout.as_str()), (Some(1), ""), "{taken:?}");
            assert_eq!(taken.stderr, format!("error: somebody has the address {again} already\n"));
        }
        assert_eq!(login_with(&mut client, "another horse battery staple").await, "Unauthenticated BAD_CREDENTIALS");
        assert!(login(&mut client, "ada@example.com").await.is_ok(), "its password is still the first");
    }

    async fn a_password_that_will_not_do_makes_no_account(engine) {
        let database = Database::create(engine).await;
        let binary = on(&database);
        for (input, why) in [("", "15"), ("too short\n", "15"), ("correcthorsebatterystaple\n", "common")] {
            let refused = binary.run_with_input(&CREATE, input).await;
            assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{input:?}: {refused:?}");
            assert!(refused.stderr.starts_with("error: the password "), "{input:?}: {refused:?}");
            assert!(refused.stderr.contains(why) && refused.stderr.lines().count() == 1, "{input:?}: {refused:?}");
        }
        let unasked = binary.run_with_input(&CREATE[..2], "").await;
        assert_eq!(unasked.code, Some(2), "{unasked:?}");
        assert_eq!(binary.run(&["migrate"]).await.code, Some(0));
        assert_eq!(database.number("SELECT COUNT(*) FROM users").await, 0);
    }

    async fn a_disabled_account_is_shut_until_it_is_enabled(engine) {
        let database = Database::create(engine).await;
        let binary = on(&database);
        assert_eq!(binary.run_with_input(&CREATE, PASSWORD).await.code, Some(0));
        let serving = binary.serve().await;
        let mut client = serving.client().await;
        let tokens = login(&mut client, "ada@example.com").await.unwrap().tokens.unwrap();
        let me = || with_bearer(WhoAmIRequest {}, &tokens.access_token);
        client.who_am_i(me()).await.unwrap();

        let disabled = binary.run(&["user", "disable", "--email", "Ada@example.com"]).await;

        assert_eq!((disabled.code, disabled.stdout.as_str()), (Some(0), "disabled Ada@example.com\n"), "{disabled:?}");
        let refreshed = refresh(&mut client, &tokens.refresh_token).await.unwrap_err();
        assert_eq!(summary(&refreshed), "Unauthenticated SESSION_ENDED");
        let refused = login(&mut client, "ada@example.com").await.unwrap_err();
        assert_eq!(summary(&refused), "PermissionDenied ACCOUNT_DISABLED");
        assert_eq!(login_with(&mut client, "a wrong horse battery").await, "Unauthenticated BAD_CREDENTIALS");
        // The service that runs looks twice a second for what others have ended.
        let heard = async {
            loop {
                if let Err(refusal) = client.who_am_i(me()).await {
                    break refusal;
                }
            }
        };
        assert_eq!(summary(&in_time(heard).await), "Unauthenticated SESSION_ENDED");
        let later = binary.serve().await;
        let refusal = later.client().await.who_am_i(me()).await.unwrap_err();
        assert_eq!(summary(&refusal), "Unauthenticated SESSION_ENDED", "one that starts later knows from the start");

        let enabled = binary.run(&["user", "enable", "--email", "ada@example.com"]).await;

        assert_eq!((enabled.code, enabled.stdout.as_str()), (Some(0), "enabled ada@example.com\n"), "{enabled:?}");
        let fresh = login(&mut client, "ada@example.com").await.unwrap().tokens.unwrap();
        client.who_am_i(with_bearer(WhoAmIRequest {}, &fresh.access_token)).await.unwrap();
        assert_eq!(summary(&client.who_am_i(me()).await.unwrap_err()), "Unauthenticated SESSION_ENDED");
        let refreshed = refresh(&mut client, &tokens.refresh_token).await.unwrap_err();
        assert_eq!(summary(&refreshed), "Unauthenticated SESSION_ENDED", "old sessions stay ended");
    }

    async fn nobody_can_be_disabled_who_is_not_there(engine) {
        let database = Database::create(engine).await;
        let binary = on(&database);
        for switch in ["disable", "enable"] {
            let output = binary.run(&["user", switch, "--email", "nobody@example.com"]).await;
            assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""), "{output:?}");
            assert!(output.stderr.ends_with("error: nobody has the address nobody@example.com\n"), "{output:?}");
        }
    }

    async fn one_active_key_is_listed(engine) {
        let database = Database::create(engine).await;
        let binary = on(&database);
        let listed = binary.run(&["key", "list"]).await;
        assert_eq!(listed.code, Some(0), "{listed:?}");
        let rows: Vec<Vec<&str>> = listed.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0], ["ID", "STATE", "SINCE", "CREATED"]);
        assert_eq!(rows.len(), 2, "{rows:?}");
        assert!(rows[1][0].starts_with("k4.pid.") && rows[1][0].len() == 51, "{rows:?}");
        assert_eq!(Some(rows[1][0]), database.text("SELECT id FROM signing_keys").await.as_deref());
        assert_eq!(rows[1][1], "active");
        assert_eq!(binary.run(&["key", "list"]).await.stdout, listed.stdout, "the same on every look");
    }

    async fn migrations_are_applied_once_and_a_service_may_be_told_to_leave_them(engine) {
        let database = Database::create(engine).await;
        let binary = on(&database).with("COUNTERSIGN_DATABASE__MIGRATE", "false");
        let refused = binary.run(&["serve", "--listen", "127.0.0.1:0"]).await;
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains("countersign migrate"), "it says what to do: {refused:?}");

        let migrated = binary.run(&["migrate"]).await;
        assert_eq!(migrated.code, Some(0), "{migrated:?}");
        let lines: Vec<&str> = migrated.stdout.lines().collect();
        let (last, applied) = lines.split_last().unwrap();
        assert!(applied.len() >= 4 && applied.iter().all(|line| line.starts_with("applied m0")), "{lines:?}");
        assert_eq!(*last, "the schema is up to date");

        assert_eq!(binary.run(&["migrate"]).await.stdout, "the schema is up to date\n");
        assert_eq!(binary.serve().await.stop().await.code, Some(0));
    }
}
