use super::*;
use crate::config::{
    EdgeConfig, Problems, Profile, defaults, document,
    layers::{DEFAULTS, DEVELOPMENT},
};
use std::{collections::BTreeSet, time::Duration};

#[test]
fn a_clone_runs_with_no_settings_at_all() {
    let config = Operator::new().loads().unwrap();
    assert_eq!(config.profile, Profile::Development);
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:50051");
    assert_eq!(config.policy.issuer, "http://localhost:50051");
    assert!(config.server.reflection && config.server.origins.have_cookies() && config.migrate);
    assert!(config.server.origins.profile("http://localhost:3000").is_some());
    assert!(!config.policy.require_verified_email);
    assert!(config.master_keys.is_none() && config.server.tls.is_none());
    assert!(config.hashing.threads >= 1);
    assert_eq!(config.policy.access_lifetime, Duration::from_mins(5));
}

#[test]
fn production_is_stricter_by_default() {
    let config = Operator::production().loads().unwrap();
    assert_eq!(config.profile, Profile::Production);
    assert!(!config.server.reflection);
    assert!(config.policy.require_verified_email);
    assert!(config.server.origins.profile("http://localhost:3000").is_none());
    assert_eq!(config.log.format, crate::telemetry::Format::Json);
}

#[test]
fn both_embedded_files_are_in_order() {
    let names = |text| {
        let document = document::parse(text);
        assert_eq!(document.errors, []);
        assert!(document.entries.iter().all(|entry| entry.value.is_some()));
        document.entries.into_iter().map(|entry| entry.key).collect::<BTreeSet<_>>()
    };
    assert!(names(DEVELOPMENT).is_subset(&names(DEFAULTS)));
}

#[test]
fn every_setting_has_a_reason() {
    let mut before = "";
    for line in DEFAULTS.lines() {
        if line.contains(" = ") && !line.starts_with('#') {
            assert!(before.starts_with("# "), "{line}");
        }
        before = line;
    }
}

#[test]
fn the_printed_defaults_are_a_file_to_start_from() {
    let operator = Operator::new().writes_config(&defaults());
    let config = operator.loads().unwrap();
    assert!(config.policy.require_verified_email, "what the file says holds, in development too");
    assert!(defaults().contains("# require_verified_email = false"));
}

/// What no setting can be: whoever reads it says so, so a setting that nobody reads is found.
#[test]
fn every_setting_is_read() {
    for entry in document::parse(DEFAULTS).entries {
        let (section, key) = entry.key.split_once('.').unwrap_or(("", &entry.key));
        let header = if section.is_empty() { String::new() } else { format!("[{section}]\n") };
        let value = match entry.value {
            Some(crate::config::setting::Value::List(_)) => r#"["\u0000"]"#,
            _ => r#""\u0000""#,
        };
        let operator = Operator::new().writes_config(&format!("{header}{key} = {value}"));
        let told = |problems: Option<Problems>| problems.is_some_and(|all| keys(&all).contains(&entry.key.as_str()));
        // A node's, an edge's, or both.
        let (node, edge) = (operator.loads().err(), EdgeConfig::load(&operator.sources).err());
        assert!(told(node) || told(edge), "{}", entry.key);
    }
}
