use std::{ffi::OsString, os::unix::ffi::OsStringExt};

use proptest::prelude::*;

use super::*;
use crate::config::{document, layers::DEFAULTS};

#[test]
fn an_unknown_key_is_refused_with_its_line_and_what_was_meant() {
    let report = Operator::new()
        .writes_config("profile = \"development\"\n\n[server]\nlisen = \"127.0.0.1:1\"\n\n[mail]\nhost = \"x\"\n")
        .report();
    let expected = "countersign.toml:4: server.lisen: is not a setting; did you mean server.listen?\n\
                    countersign.toml:7: mail.host: is not a setting; `countersign check-config --print-defaults` lists them";
    assert_eq!(report, expected);
}

#[test]
fn an_unknown_variable_is_refused_by_name() {
    let mut operator = Operator::new();
    for name in [
        "COUNTERSIGN_SERVER__LISEN",
        "COUNTERSIGN_TEST_DATABASE_URL",
        "COUNTERSIGN_CONFIG",
        "COUNTERSIGN_SERVICE_HOST",
        "HOME",
    ] {
        operator.sources.environment.insert(name.into(), "x".into());
    }
    assert_eq!(
        operator.report(),
        "COUNTERSIGN_SERVER__LISEN: is not a setting; did you mean COUNTERSIGN_SERVER__LISTEN?"
    );
}

#[test]
fn a_value_that_is_not_text_is_refused() {
    let mut operator = Operator::new();
    operator.sources.environment.insert("COUNTERSIGN_DATABASE__DATA_DIR".into(), OsString::from_vec(vec![0xff]));
    assert_eq!(operator.report(), "COUNTERSIGN_DATABASE__DATA_DIR: database.data_dir: is not UTF-8");
}

#[test]
fn everything_that_is_wrong_stands_in_one_report() {
    let operator = Operator::new()
        .writes_config("profile = \"production\"\n[server]\nlisten = \"localhost\"\nport = 1\n[sessions]\nidle = 1.5\ngrace = \"2m\"\n")
        .sets(&[("passwords.iterations", "none"), ("browser.cross_site_origins", "*,null,https://a.example/")])
        .types(Flags { database_url: Some("mysql://x".into()), ..Flags::default() });
    let report = operator.report();
    let expected = [
        "countersign.toml:4: server.port: is not a setting; `countersign check-config --print-defaults` lists them",
        "countersign.toml:6: sessions.idle: must be a text, a whole number, true, false, or a list of texts",
        "not set: server.public_url: is required in production: where clients reach the service, like https://auth.example.com",
        "countersign.toml:3: server.listen: must be an address and a port, like 127.0.0.1:50051 or [::]:50051",
        "not set: server.tls_certificate: must be set in production, with server.tls_key; or set server.behind_proxy = true if a proxy in front ends TLS",
        "COUNTERSIGN_BROWSER__CROSS_SITE_ORIGINS: browser.cross_site_origins: item 1 cannot be a wildcard: browsers and this service refuse it with cookies; list each origin",
        "COUNTERSIGN_BROWSER__CROSS_SITE_ORIGINS: browser.cross_site_origins: item 2 cannot be \"null\": any sandboxed frame sends that",
        "COUNTERSIGN_BROWSER__CROSS_SITE_ORIGINS: browser.cross_site_origins: item 3 must be an origin like https://app.example.com, in lower case, without a path or a default port",
        "--database-url: database.url: must begin with postgres:// or sqlite:",
        "not set: keys.master_key: is required in production: make one with `countersign key generate-master`, keep it in a file, and name that in keys.master_key_file",
        "COUNTERSIGN_PASSWORDS__ITERATIONS: passwords.iterations: must be a whole number from 1 to 10",
        "not set: mail.transport: is required in production: \"smtp\", or \"none\" where operators make every account with `countersign user create`",
        "countersign.toml:7: sessions.grace: must be a duration from 0s to 1m, written like 250ms, 30s, 5m, 12h or 7d",
    ];
    assert_eq!(report.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_file_that_is_not_toml_is_refused_with_every_line_that_is_not() {
    let report = Operator::new().writes_config("[server]\nlisten = 127.0.0.1:1\n[keys\nmaster_key = secret\n").report();
    assert!(report.lines().count() >= 2, "{report}");
    assert!(report.starts_with("countersign.toml:2: is not TOML: "), "{report}");
    let mut nowhere = Operator::new();
    nowhere.sources.file = Some("/nowhere/countersign.toml".into());
    assert!(
        nowhere.report().starts_with("--config: /nowhere/countersign.toml: cannot be read: "),
        "{}",
        nowhere.report()
    );
}

#[test]
fn a_report_cannot_drive_the_terminal() {
    let report = Operator::new().writes_config("[server]\n\"\\u001b[31m\" = 1").report();
    assert!(report.contains("\\u{1b}"), "{report:?}");
    assert!(!report.contains('\u{1b}'), "{report:?}");
}

/// Whatever is wrong, the values stay out of it: some are secrets, and some are secrets in the wrong place.
#[test]
fn no_value_is_ever_reported() {
    let canary = "c4n4ry";
    let entries = document::parse(DEFAULTS).entries;
    for profile in ["development", "production"] {
        for entry in &entries {
            for value in [
                format!("{canary}\""),
                format!("postgres://ada:{canary}@"),
                format!("cs_mk_{canary}"),
                format!("https://{canary}@x"),
            ] {
                let operator = Operator::new().sets(&[("profile", profile), (&entry.key, &value)]);
                if let Err(problems) = operator.loads() {
                    assert!(!format!("{problems} {problems:?}").contains(canary), "{}: {problems}", entry.key);
                }
            }
        }
    }
    for line in [
        r#"master_key = "c4n4ry"#,
        "master_key = c4n4ry",
        r#"master_key = "x" c4n4ry"#,
        "master_key = 'c4n4ry\n",
        r#"url = ["c4n4ry""#,
    ] {
        let report = Operator::new().writes_config(&format!("[keys]\n{line}\n")).report();
        assert!(!report.contains(canary), "{report}");
    }
}

#[test]
fn a_loaded_configuration_prints_no_secret() {
    let operator = Operator::production().sets(&[("database.url", "postgres://ada:c4n4ry@db/countersign")]);
    let printed = format!(
        "{:?} {:?}",
        operator.loads().unwrap(),
        Flags { database_url: Some("c4n4ry".into()), ..Flags::default() }
    );
    assert!(!printed.contains("c4n4ry") && !printed.contains(KEY), "{printed}");
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(text in any::<String>(), key in "[a-z_]{1,12}", value in any::<String>()) {
        let _ = Operator::new().writes_config(&text).loads();
        let _ = Operator::new().writes_config(&format!("[server]\n{key} = {value:?}")).loads();
    }

    #[test]
    fn no_value_makes_it_panic(index in any::<prop::sample::Index>(), value in any::<String>()) {
        let entries = document::parse(DEFAULTS).entries;
        let _ = Operator::production().sets(&[(&index.get(&entries).key, &value)]).loads();
    }
}
