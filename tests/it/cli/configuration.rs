//! Settings that are not in order are told all at once, before anything happens; those that are, are taken.

use std::fs;

use crate::support::process::{Binary, Output};

/// What production asks for, but the master key.
fn production() -> Binary {
    Binary::default()
        .with("COUNTERSIGN_PROFILE", "production")
        // Tests run side by side.
        .with("COUNTERSIGN_METRICS__LISTEN", "127.0.0.1:0")
        .with("COUNTERSIGN_SERVER__PUBLIC_URL", "https://auth.example.com")
        .with("COUNTERSIGN_SERVER__BEHIND_PROXY", "true")
        .with("COUNTERSIGN_BROWSER__SAME_SITE_ORIGINS", "https://app.example.com")
        .with("COUNTERSIGN_MAIL__TRANSPORT", "none")
}

/// The setting that each line of the report is about.
fn reported(output: &Output) -> Vec<&str> {
    let mut lines = output.stderr.lines();
    assert_eq!(lines.next(), Some("error: the configuration is refused"), "{output:?}");
    lines.map(|line| line.trim_start().split(": ").nth(1).unwrap()).collect()
}

fn entries(binary: &Binary) -> Vec<String> {
    let names = fs::read_dir(binary.folder.path()).unwrap();
    names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn production_with_no_settings_is_refused_with_everything_that_is_missing() {
    let binary = Binary::default().with("COUNTERSIGN_PROFILE", "production");
    for command in [&[][..], &["serve"], &["check-config"], &["migrate"], &["key", "list"]] {
        let output = binary.run(command).await;
        assert_eq!(
            reported(&output),
            [
                "server.public_url",
                "server.tls_certificate",
                "browser.same_site_origins",
                "keys.master_key",
                "mail.transport",
            ],
            "{command:?}"
        );
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{command:?}");
    }
    assert_eq!(entries(&binary), [""; 0], "nothing was tried");
}

#[tokio::test]
async fn every_bad_setting_is_reported_wherever_it_was_written_and_no_value_is_repeated() {
    let binary = Binary::default()
        .with("COUNTERSIGN_X", "canary")
        .with("COUNTERSIGN_SERVER__LISTEM", "canary")
        .with("COUNTERSIGN_KEYS__MASTER_KEY", "canary")
        .with("COUNTERSIGN_LOG__LEVEL", "canary");
    fs::write(binary.folder.path().join("c.toml"), "[sessions]\ngrace = \"canary\"\nidel = \"canary\"\n").unwrap();

    let output = binary.run(&["--config", "c.toml", "--listen", "canary", "serve"]).await;

    assert_eq!(output.code, Some(2), "{output:?}");
    for line in [
        "  COUNTERSIGN_X: is not a setting; `countersign check-config --print-defaults` lists them",
        "  COUNTERSIGN_SERVER__LISTEM: is not a setting; did you mean COUNTERSIGN_SERVER__LISTEN?",
        "  c.toml:3: sessions.idel: is not a setting; did you mean sessions.idle?",
        "  --listen: server.listen: must be an address and a port, like 127.0.0.1:50051 or [::]:50051",
    ] {
        assert!(output.stderr.lines().any(|found| found == line), "{line}\n{}", output.stderr);
    }
    for place in ["COUNTERSIGN_KEYS__MASTER_KEY: keys.", "COUNTERSIGN_LOG__LEVEL: log.", "c.toml:2: sessions.grace: "] {
        assert!(output.stderr.contains(place), "{place}\n{}", output.stderr);
    }
    assert_eq!(output.stderr.lines().count(), 8, "{}", output.stderr);
    assert!(!output.stderr.contains("canary"), "values may be secrets: {}", output.stderr);
    assert_eq!(output.stdout, "");
}

#[tokio::test]
async fn the_printed_defaults_are_a_file_to_start_from() {
    let binary = Binary::default();
    let defaults = binary.run(&["check-config", "--print-defaults"]).await;
    assert_eq!((defaults.code, defaults.stderr.as_str()), (Some(0), ""));
    assert!(defaults.stdout.contains("\n[server]\n"), "{}", defaults.stdout);
    fs::write(binary.folder.path().join("c.toml"), defaults.stdout).unwrap();

    let output = binary.run(&["--config", "c.toml", "check-config"]).await;

    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    assert!(output.stdout.starts_with("the configuration is in order\nprofile     development\n"), "{output:?}");
    assert_eq!(entries(&binary), ["c.toml"], "looking changes nothing");
}

#[tokio::test]
async fn a_generated_master_key_is_what_production_lacks() {
    let binary = production();
    assert_eq!(reported(&binary.run(&["check-config"]).await), ["keys.master_key"]);
    let [first, second] =
        [binary.run(&["key", "generate-master"]).await, binary.run(&["key", "generate-master"]).await];
    assert_eq!((first.code, first.stderr.as_str()), (Some(0), ""), "it needs no configuration");
    assert_ne!(first.stdout, second.stdout);
    let key = first.stdout.strip_suffix('\n').unwrap();
    assert!(key.starts_with("cs_mk_") && !key.contains(char::is_whitespace), "one line");
    let file = binary.folder.path().join("master");
    fs::write(&file, &first.stdout).unwrap();

    let binary = binary.with("COUNTERSIGN_KEYS__MASTER_KEY_FILE", file.to_str().unwrap()).patient();
    let checked = binary.run(&["check-config"]).await;
    assert_eq!((checked.code, checked.stderr.as_str()), (Some(0), ""));
    assert!(checked.stdout.contains("\nmaster key  configured\n") && !checked.stdout.contains(key), "{checked:?}");

    let stopped = binary.serve().await.stop().await;
    assert_eq!(stopped.code, Some(0), "{stopped:?}");
    assert!(!stopped.stderr.contains("grpcurl"), "production has no reflection to try it with");
    assert!(!binary.folder.path().join("data/master.key").exists(), "it made none of its own");

    fs::write(&file, &second.stdout).unwrap();
    let other = binary.run(&["serve"]).await;
    assert_eq!(other.code, Some(1), "the signing key is sealed under the first: {other:?}");
    assert!(other.stderr.contains("error: loading the signing keys failed\n"), "{other:?}");
    fs::write(&file, format!("{}{}", second.stdout, first.stdout)).unwrap();
    assert_eq!(binary.run(&["key", "list"]).await.code, Some(0), "the first still opens what it sealed");
}

#[tokio::test]
async fn a_wrong_command_line_is_refused_and_help_is_given() {
    let binary = Binary::default();
    for (arguments, code) in [(&["--help"][..], 0), (&["--version"], 0), (&["sevre"], 2), (&["user", "create"], 2)] {
        let output = binary.run(arguments).await;
        assert_eq!(output.code, Some(code), "{arguments:?}: {output:?}");
    }
    let taken = binary.serve().await;
    let output = binary.run(&["serve", "--listen", &taken.address.to_string()]).await;
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stderr.contains(&format!("cannot listen on {}", taken.address)), "{output:?}");
}
