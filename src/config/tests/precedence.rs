use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::store::Engine;

const FILE: &str = "[server]\nlisten = \"127.0.0.1:1\"\n[database]\ndata_dir = \"/file\"\nmax_connections = 1\n";

fn postgres(config: &Config) -> String {
    match &config.database.engine {
        Engine::Postgres { url } => url.expose_secret().to_owned(),
        Engine::Sqlite { path } => panic!("SQLite at {}", path.display()),
    }
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default() {
    let operator = Operator::new().writes_config(FILE);
    let config = operator.loads().unwrap();
    assert_eq!(config.server.listen.port(), 1);
    assert_eq!(config.data_dir, PathBuf::from("/file"));
    assert_eq!(config.database.max_connections, 1);
    assert_eq!(config.policy.max_sessions_per_user, 50, "the default");

    let operator = operator.sets(&[("server.listen", "127.0.0.1:2"), ("database.data_dir", "/environment")]);
    let config = operator.loads().unwrap();
    assert_eq!(config.server.listen.port(), 2);
    assert_eq!(config.data_dir, PathBuf::from("/environment"));

    let listen = Some("127.0.0.1:3".to_owned());
    let config =
        operator.types(Flags { listen, data_dir: Some("/flag".to_owned()), ..Flags::default() }).loads().unwrap();
    assert_eq!(config.server.listen.port(), 3);
    assert_eq!(config.data_dir, PathBuf::from("/flag"));
    assert!(matches!(config.database.engine, Engine::Sqlite { path } if path == *"/flag/countersign.db"));
    assert_eq!(config.database.max_connections, 1, "the file still holds where nothing else is said");
}

#[test]
fn what_is_empty_is_not_set() {
    let operator = Operator::new().writes_config(FILE).sets(&[("server.listen", ""), ("server.tls_key", "")]);
    assert_eq!(operator.loads().unwrap().server.listen.port(), 1);
}

#[test]
fn a_list_is_separated_by_commas_in_the_environment() {
    let origins = "https://a.example, https://b.example,";
    let config = Operator::new().sets(&[("browser.same_site_origins", origins)]).loads().unwrap();
    assert_eq!(
        config.server.origins.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["https://a.example", "https://b.example"]
    );
    let none = Operator::new().writes_config("browser.same_site_origins = []").loads().unwrap();
    assert_eq!(none.server.origins.iter().count(), 0);
}

#[test]
fn pages_can_be_left_without_cookies() {
    let config = Operator::new().sets(&[("browser.cookies", "false")]).loads().unwrap();
    assert!(!config.server.origins.have_cookies());
}

#[test]
fn a_secret_is_read_from_a_file_less_its_line_break() {
    let operator = Operator::production();
    let url = operator.writes("url", "postgres://ada:secret@db/countersign\r\n");
    let key = operator.writes("key", &format!("{KEY}\n"));
    let operator = operator.sets(&[
        ("keys.master_key", ""),
        ("keys.master_key_file", key.to_str().unwrap()),
        ("database.url_file", url.to_str().unwrap()),
    ]);
    let config = operator.loads().unwrap();
    assert!(config.master_keys.is_some());
    assert_eq!(postgres(&config), "postgres://ada:secret@db/countersign");
}

#[test]
fn a_secret_and_its_file_side_by_side_are_refused_and_the_stronger_source_of_the_two_is_not() {
    let operator = Operator::new();
    let url = operator.writes("url", "postgres://file/db");
    let both = "[database]\nurl = \"postgres://plain/db\"\nurl_file = \"/nowhere\"\n";
    let report = Operator::new().writes_config(both).report();
    assert_eq!(
        report,
        "countersign.toml:3: database.url_file: is set beside database.url: which one is meant? Remove the other"
    );
    let environment = [("keys.master_key", KEY), ("keys.master_key_file", "/nowhere")];
    assert_eq!(keys(&Operator::new().sets(&environment).loads().unwrap_err()), ["keys.master_key_file"]);

    let operator = operator
        .writes_config("database.url = \"postgres://config/db\"")
        .sets(&[("database.url_file", url.to_str().unwrap())]);
    assert_eq!(postgres(&operator.loads().unwrap()), "postgres://file/db");
    let flags = Flags { database_url: Some(SecretString::from("postgres://flag/db")), ..Flags::default() };
    assert_eq!(postgres(&operator.types(flags).loads().unwrap()), "postgres://flag/db");
}

#[test]
fn sqlite_is_named_by_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    for url in [format!("sqlite:{}", path.display()), format!("sqlite://{}", path.display())] {
        let config = Operator::new().sets(&[("database.url", &url)]).loads().unwrap();
        assert!(matches!(config.database.engine, Engine::Sqlite { path: named } if named == path), "{url}");
    }
    let inside = [("database.data_dir", "/not/yet"), ("database.url", "sqlite:/not/yet/b.db")];
    assert!(Operator::new().sets(&inside).loads().is_ok(), "the data directory is made when it is needed");
}

#[test]
fn certificates_are_named_together() {
    let operator = Operator::production();
    let files = ["cert", "key"].map(|name| operator.writes(name, "PEM").to_str().unwrap().to_owned());
    let tls = [("server.behind_proxy", "false"), ("server.tls_certificate", &files[0]), ("server.tls_key", &files[1])];
    let operator = operator.sets(&tls);
    let read = operator.loads().unwrap().server.tls.unwrap();
    assert_eq!([read.certificate, read.key], files.each_ref().map(PathBuf::from));
}
