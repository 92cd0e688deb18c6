//! What a configuration is read from, handed in so that tests need no environment of their own.

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

use secrecy::SecretString;

/// Where settings may stand.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The TOML file, if one is named.
    pub file: Option<PathBuf>,
    /// The environment; what does not begin with `COUNTERSIGN_` is not looked at.
    pub environment: BTreeMap<OsString, OsString>,
    /// The command line.
    pub flags: Flags,
}

/// The few settings that people type.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--listen`
    pub listen: Option<String>,
    /// `--database-url`
    pub database_url: Option<SecretString>,
    /// `--data-dir`
    pub data_dir: Option<String>,
    /// `--upstream`
    pub upstream: Option<String>,
}
