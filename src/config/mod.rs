//! The configuration: read from all its sources and checked once, before anything else happens.

mod data_dir;
mod document;
mod duration;
mod edge;
mod environment;
mod layers;
mod listener;
mod mail;
mod observing;
mod problem;
mod profile;
mod reader;
mod rules;
mod setting;
mod sources;
mod storage;
mod suggestion;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use data_dir::{DataDirError, prepare_data_dir};
pub use edge::EdgeConfig;
pub use problem::{Place, Problem, Problems};
pub use profile::{InvalidProfile, Profile};
pub use sources::{Flags, Sources};

use crate::{
    app::Policy,
    crypto::{HashingSettings, MasterKeys},
    mail::Settings as MailSettings,
    server, store, telemetry,
};
use layers::{DEFAULTS, DEVELOPMENT};
use reader::Reader;

/// Everything that an operator can set, in the types of those who need it.
#[derive(Debug, Clone)]
pub struct Config {
    /// Which defaults and which refusals hold.
    pub profile: Profile,
    /// The listener.
    pub server: server::Settings,
    /// The database.
    pub database: store::Settings,
    /// Whether `serve` brings the schema up to date.
    pub migrate: bool,
    /// Where files lie: an embedded database, and in development the master key.
    pub data_dir: PathBuf,
    /// `None` in the development profile alone: [`prepare_data_dir`] then finds or makes one.
    pub master_keys: Option<MasterKeys>,
    /// What a password hash costs.
    pub hashing: HashingSettings,
    /// What letters say, and how they leave.
    pub mail: MailSettings,
    /// The rules of signing in.
    pub policy: Policy,
    /// The log.
    pub log: telemetry::Settings,
}

impl Config {
    /// Reads and checks the whole configuration. Changes nothing; reads the files that it names.
    ///
    /// # Errors
    /// With everything that is wrong, unless the file itself cannot be read.
    pub fn load(sources: &Sources) -> Result<Self, Problems> {
        let mut reader = Reader::new(layers::gather(sources)?);
        let config = Self::read(&mut reader);
        reader.finish(config)
    }

    fn read(reader: &mut Reader) -> Option<Self> {
        // Everything is read before the first `?`, so that one bad setting does not hide another.
        let profile = reader.parse("profile", str::parse);
        let public_url = listener::read_public_url(reader);
        let listener = listener::read(reader);
        let storage = storage::read(reader);
        let master_keys = storage::read_master_keys(reader);
        let hashing = rules::read_hashing(reader);
        let mail = mail::read(reader);
        let policy = rules::read(reader, public_url.as_ref());
        let log = read_log(reader);

        let storage = storage?;
        Some(Self {
            profile: profile?,
            server: listener?,
            database: storage.database,
            migrate: storage.migrate,
            data_dir: storage.data_dir,
            master_keys,
            hashing: hashing?,
            mail: mail?,
            policy: policy?,
            log: log?,
        })
    }
}

fn read_log(reader: &mut Reader) -> Option<telemetry::Settings> {
    let format = reader.parse("log.format", str::parse);
    let filter = reader.parse("log.level", str::parse);
    Some(telemetry::Settings { format: format?, filter: filter? })
}

/// Every setting with its default and its reason, as a file that [`Config::load`] reads; what the development profile
/// sets instead follows as comments.
#[must_use]
pub fn defaults() -> String {
    let development = DEVELOPMENT.lines().map(|line| format!("# {line}").trim_end().to_owned() + "\n");
    std::iter::once(format!("{DEFAULTS}\n")).chain(development).collect()
}
