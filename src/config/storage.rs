//! `[database]` and `[keys]`: where data lies, and the secret that keeps it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};

use super::{duration::MINUTE, reader::Reader};
use crate::{
    crypto::MasterKeys,
    store::{Engine, Settings},
};

/// What `[database]` comes to.
pub(super) struct Storage {
    /// For the store.
    pub(super) database: Settings,
    /// Whether `serve` brings the schema up to date.
    pub(super) migrate: bool,
    /// Where files lie.
    pub(super) data_dir: PathBuf,
}

/// Reads `[database]`.
pub(super) fn read(reader: &mut Reader) -> Option<Storage> {
    let data_dir = reader.path("database.data_dir");
    let engine = read_engine(reader, data_dir.as_deref());
    let max_connections = reader.number("database.max_connections", 1..=1_000);
    let acquire_timeout = reader.duration("database.acquire_timeout", LEAST_WAIT..=MINUTE);
    let statement_timeout = reader.duration("database.statement_timeout", LEAST_WAIT..=5 * MINUTE);
    let migrate = reader.switch("database.migrate");

    let database = Settings {
        engine: engine?,
        max_connections: max_connections?,
        acquire_timeout: acquire_timeout?,
        statement_timeout: statement_timeout?,
        look_timeout: LOOK_TIMEOUT,
    };
    Some(Storage { database, migrate: migrate?, data_dir: data_dir? })
}

/// With a look four times a second, within the second that is promised.
const LOOK_TIMEOUT: Duration = Duration::from_millis(500);
const LEAST_WAIT: Duration = Duration::from_millis(10);

fn read_engine(reader: &mut Reader, data_dir: Option<&Path>) -> Option<Engine> {
    let Some(url) = reader.secret("database.url") else {
        return Some(Engine::Sqlite { path: data_dir?.join("countersign.db") });
    };
    match parse_engine(&url.text, data_dir) {
        Ok(engine) => Some(engine),
        Err(what) => {
            reader.refuse(&url.key, what);
            None
        }
    }
}

fn parse_engine(url: &SecretString, data_dir: Option<&Path>) -> Result<Engine, &'static str> {
    let text = url.expose_secret();
    if let Some(path) = text.strip_prefix("sqlite:") {
        let path = Path::new(path.strip_prefix("//").unwrap_or(path));
        return parse_sqlite(path, data_dir).map(|()| Engine::Sqlite { path: path.to_owned() });
    }
    let server = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
    let server = server.ok_or("must begin with postgres:// or sqlite:")?;
    let (authority, database) = server.split_once('/').unwrap_or((server, ""));
    let is_bare = authority.is_empty() || authority.ends_with('@') || database.is_empty() || database.starts_with('?');
    if is_bare || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("must name a host and a database, like postgres://user:password@host:5432/database");
    }
    Ok(Engine::Postgres { url: url.clone() })
}

fn parse_sqlite(path: &Path, data_dir: Option<&Path>) -> Result<(), &'static str> {
    let text = path.as_os_str().as_encoded_bytes();
    if text.starts_with(b":") {
        return Err("must name a file: a database in memory would forget every account");
    }
    if text.is_empty() || text.ends_with(b"/") || text.contains(&b'?') || text.contains(&0) {
        return Err("must name a file, like sqlite:/var/lib/countersign/countersign.db, without parameters");
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // The data directory is made when it is needed; any other folder that is not there is a slip.
    if Some(folder) == data_dir || folder.is_dir() {
        Ok(())
    } else {
        Err("names a file in a folder that does not exist")
    }
}

/// Reads `[keys]`; `None` also where the development profile may do without.
pub(super) fn read_master_keys(reader: &mut Reader) -> Option<MasterKeys> {
    let is_set = reader.is_set("keys.master_key") || reader.is_set("keys.master_key_file");
    if reader.is_production() && !is_set {
        let what = "is required in production: make one with `countersign key generate-master`, keep it in a file, and name that in keys.master_key_file";
        reader.refuse("keys.master_key", what);
    }
    let secret = reader.secret("keys.master_key")?;
    MasterKeys::parse(secret.text.expose_secret()).map_err(|e| reader.refuse(&secret.key, e.to_string())).ok()
}
