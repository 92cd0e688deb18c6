use super::*;

/// What an operator might get wrong in production, each with the setting that the report must name, and no other.
const BAD: &[(&[(&str, &str)], &str)] = &[
    (&[("profile", "prod")], "profile"),
    (&[("keys.master_key", "")], "keys.master_key"),
    (&[("keys.master_key", "changeme")], "keys.master_key"),
    (&[("keys.master_key", "cs_mk_short")], "keys.master_key"),
    (&[("keys.master_key", " ")], "keys.master_key"),
    (&[("keys.master_key", ""), ("keys.master_key_file", "/nowhere/key")], "keys.master_key_file"),
    (&[("keys.master_key", ""), ("keys.master_key_file", "/dev/null")], "keys.master_key_file"),
    (&[("server.public_url", "")], "server.public_url"),
    (&[("server.public_url", "http://auth.example.com")], "server.public_url"),
    (&[("server.public_url", "https://auth.example.com/")], "server.public_url"),
    (&[("server.public_url", "https://auth.example.com/auth")], "server.public_url"),
    (&[("server.public_url", "https://auth.example.com?x=1")], "server.public_url"),
    (&[("server.public_url", "https://ada:secret@auth.example.com")], "server.public_url"),
    (&[("server.public_url", "auth.example.com")], "server.public_url"),
    (&[("server.behind_proxy", "")], "server.tls_certificate"),
    (&[("server.behind_proxy", "yes")], "server.behind_proxy"),
    (&[("server.tls_certificate", "/nowhere/cert.pem"), ("server.tls_key", "/dev/null")], "server.tls_certificate"),
    (&[("server.tls_certificate", "/dev/null")], "server.tls_key"),
    (&[("server.tls_key", "/dev/null")], "server.tls_certificate"),
    (&[("server.trusted_proxies", "0.0.0.0/0")], "server.trusted_proxies"),
    (&[("server.trusted_proxies", "10.0.0.0/8,::/0")], "server.trusted_proxies"),
    (&[("server.trusted_proxies", "*")], "server.trusted_proxies"),
    (&[("server.trusted_proxies", "proxy.internal")], "server.trusted_proxies"),
    (&[("server.listen", "localhost:50051")], "server.listen"),
    (&[("server.listen", "50051")], "server.listen"),
    (&[("server.listen", "0.0.0.0")], "server.listen"),
    (&[("server.reflection", "off")], "server.reflection"),
    (&[("server.max_connections", "0")], "server.max_connections"),
    (&[("server.max_connections_per_client", "-1")], "server.max_connections_per_client"),
    (&[("server.first_bytes_timeout", "0s")], "server.first_bytes_timeout"),
    (&[("server.request_timeout", "10")], "server.request_timeout"),
    (&[("server.request_timeout", "1h")], "server.request_timeout"),
    (&[("server.drain_timeout", "never")], "server.drain_timeout"),
    (&[("browser.same_site_origins", "")], "browser.same_site_origins"),
    (&[("browser.same_site_origins", "*")], "browser.same_site_origins"),
    (&[("browser.same_site_origins", "https://*.example.com")], "browser.same_site_origins"),
    (&[("browser.same_site_origins", "null")], "browser.same_site_origins"),
    (&[("browser.same_site_origins", "http://app.example.com")], "browser.same_site_origins"),
    (&[("browser.same_site_origins", "http://localhost.example.com")], "browser.same_site_origins"),
    (&[("browser.same_site_origins", "https://app.example.com,https://app.example.com")], "browser.same_site_origins"),
    (&[("browser.cross_site_origins", "https://app.example.com")], "browser.cross_site_origins"),
    (&[("browser.cross_site_origins", "https://shop.example/")], "browser.cross_site_origins"),
    (&[("browser.cookies", "1")], "browser.cookies"),
    (&[("database.url", "sqlite::memory:")], "database.url"),
    (&[("database.url", "sqlite:")], "database.url"),
    (&[("database.url", "sqlite:/nowhere/at/all.db")], "database.url"),
    (&[("database.url", "sqlite:countersign.db?mode=memory")], "database.url"),
    (&[("database.url", "mysql://db/countersign")], "database.url"),
    (&[("database.url", "postgres://")], "database.url"),
    (&[("database.url", "postgres://db")], "database.url"),
    (&[("database.url", "postgres://ada:secret@/countersign")], "database.url"),
    (&[("database.url", "postgres://db/counter sign")], "database.url"),
    (&[("database.url_file", "/nowhere/url")], "database.url_file"),
    (&[("database.max_connections", "0")], "database.max_connections"),
    (&[("database.acquire_timeout", "0s")], "database.acquire_timeout"),
    (&[("database.statement_timeout", "1d")], "database.statement_timeout"),
    (&[("database.migrate", "maybe")], "database.migrate"),
    (&[("tokens.audience", "a b")], "tokens.audience"),
    (&[("tokens.access_lifetime", "16m")], "tokens.access_lifetime"),
    (&[("tokens.access_lifetime", "59s")], "tokens.access_lifetime"),
    (&[("tokens.access_lifetime", "0s")], "tokens.access_lifetime"),
    (&[("keys.rotate_every", "23h")], "keys.rotate_every"),
    (&[("revocation.stale_after", "61s")], "revocation.stale_after"),
    (&[("revocation.on_stale", "allow")], "revocation.on_stale"),
    (&[("sessions.idle", "-1d")], "sessions.idle"),
    (&[("sessions.absolute", "6d")], "sessions.absolute"),
    (&[("sessions.grace", "61s")], "sessions.grace"),
    (&[("sessions.max_per_user", "0")], "sessions.max_per_user"),
    (&[("passwords.min_length", "7")], "passwords.min_length"),
    (&[("passwords.min_length", "65")], "passwords.min_length"),
    (&[("passwords.memory_kib", "19455")], "passwords.memory_kib"),
    (&[("passwords.memory_kib", "262145")], "passwords.memory_kib"),
    (&[("passwords.iterations", "1")], "passwords.memory_kib"),
    (&[("passwords.iterations", "11")], "passwords.iterations"),
    (&[("passwords.lanes", "0")], "passwords.lanes"),
    (&[("passwords.threads", "many")], "passwords.threads"),
    (&[("passwords.queue", "0")], "passwords.queue"),
    (&[("passwords.max_wait", "1 s")], "passwords.max_wait"),
    (&[("accounts.require_verified_email", "no")], "accounts.require_verified_email"),
    (&[("mail.transport", "pigeon")], "mail.transport"),
    (&[("mail.transport", "console")], "mail.transport"),
    (&[("log.format", "xml")], "log.format"),
    (&[("log.level", "loud")], "log.level"),
];

#[test]
fn a_bad_configuration_is_refused_by_the_name_of_the_setting() {
    assert!(BAD.len() >= 40);
    assert!(Operator::production().loads().is_ok());
    for (settings, key) in BAD {
        let operator = Operator::production().sets(settings);
        let problems = operator.loads().expect_err(&format!("{settings:?}"));
        assert_eq!(keys(&problems), [*key], "{settings:?}: {problems}");
    }
}

#[test]
fn production_with_nothing_but_its_name_says_all_that_it_lacks() {
    let problems = Operator::new().sets(&[("profile", "production")]).loads().unwrap_err();
    let lacking = [
        "server.public_url",
        "server.tls_certificate",
        "browser.same_site_origins",
        "keys.master_key",
        "mail.transport",
    ];
    assert_eq!(keys(&problems), lacking, "{problems}");
}

#[test]
fn trusted_proxies_without_a_proxy_are_refused() {
    let problems = Operator::new().sets(&[("server.trusted_proxies", "10.0.0.1")]).loads().unwrap_err();
    assert_eq!(keys(&problems), ["server.trusted_proxies"]);
    let config =
        Operator::production().sets(&[("server.trusted_proxies", "10.0.0.1, 10.1.2.3/16,fd00::/8")]).loads().unwrap();
    let networks: Vec<String> = config.server.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["10.0.0.1/32", "10.1.0.0/16", "fd00::/8"]);
}

#[test]
fn development_stays_on_this_machine() {
    for open in ["0.0.0.0:50051", "[::]:50051", "192.168.1.5:50051"] {
        let problems = Operator::new().sets(&[("server.listen", open)]).loads().unwrap_err();
        assert_eq!(keys(&problems), ["server.listen"], "{problems}");
        assert!(problems.to_string().contains("profile = \"production\""), "{problems}");
    }
    for own in ["127.0.0.1:0", "127.9.9.9:1", "[::1]:50051", "[::ffff:127.0.0.1]:1"] {
        assert!(Operator::new().sets(&[("server.listen", own)]).loads().is_ok(), "{own}");
    }
}

#[test]
fn production_allows_what_is_safe() {
    for settings in [
        &[("browser.same_site_origins", ""), ("browser.cookies", "false")][..],
        &[("browser.same_site_origins", ""), ("browser.cross_site_origins", "https://shop.example")],
        &[(
            "browser.same_site_origins",
            "http://localhost:3000,http://127.0.0.1:1,http://[::1]:3000,http://app.localhost",
        )],
        &[("server.listen", "0.0.0.0:50051")],
        &[("passwords.memory_kib", "12288"), ("passwords.iterations", "3")],
        &[("passwords.memory_kib", "47104"), ("passwords.iterations", "1")],
    ] {
        let outcome = Operator::production().sets(settings).loads();
        assert!(outcome.is_ok(), "{settings:?}: {}", outcome.unwrap_err());
    }
}

#[test]
fn development_allows_cheap_hashes_for_tests() {
    let cheap = [("passwords.memory_kib", "8"), ("passwords.iterations", "1"), ("passwords.min_length", "8")];
    assert_eq!(Operator::new().sets(&cheap).loads().unwrap().hashing.memory_kib, 8);
    let lanes = [("passwords.memory_kib", "8"), ("passwords.lanes", "2")];
    assert_eq!(keys(&Operator::new().sets(&lanes).loads().unwrap_err()), ["passwords.memory_kib"]);
}
