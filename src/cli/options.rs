//! The flags that every command takes.

use std::{ffi::OsString, path::PathBuf};

use clap::Args;
use secrecy::SecretString;

use super::{Error, error::Context};
use crate::{
    config::{Config, Flags, Sources},
    telemetry,
};

/// Where settings come from, and the few that people type.
#[derive(Args)]
pub struct Options {
    /// Read settings from this TOML file
    #[arg(long, global = true, help_heading = "Settings", env = "COUNTERSIGN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Listen on this address; port 0 takes a free one [default: 127.0.0.1:50051]
    #[arg(long, global = true, help_heading = "Settings", value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Keep data here: postgres://… or sqlite:PATH. Others on this machine see it; a URL with a password belongs in a file
    #[arg(long, global = true, help_heading = "Settings", value_name = "URL")]
    database_url: Option<SecretString>,
    /// Keep files in this directory [default: ./data]
    #[arg(long, global = true, help_heading = "Settings", value_name = "DIR")]
    data_dir: Option<String>,
}

impl Options {
    /// What the configuration is read from, in this environment.
    pub(super) fn sources(&self, environment: impl IntoIterator<Item = (OsString, OsString)>) -> Sources {
        Sources {
            file: self.config.clone(),
            environment: environment.into_iter().collect(),
            flags: Flags {
                listen: self.listen.clone(),
                database_url: self.database_url.clone(),
                data_dir: self.data_dir.clone(),
                upstream: None,
            },
        }
    }

    /// The configuration; from here on, the log is as it says.
    pub(super) fn load(&self) -> Result<Config, Error> {
        let config = Config::load(&self.sources(std::env::vars_os()))?;
        telemetry::init(&config.log).context("starting")?;
        Ok(config)
    }
}
