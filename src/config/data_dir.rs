//! What lies in the data directory: made before the first start, and never weaker than it was made.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};

use super::Config;
use crate::{
    crypto::{InvalidMasterKeys, MasterKeys},
    entropy::Entropy,
    store::Engine,
};

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// The operating system refused.
    #[error("{} cannot be {verb}", path.display())]
    Io {
        /// A file, or the directory.
        path: PathBuf,
        /// What was tried.
        verb: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// Other users of this machine could read the master key, and with it forge sessions.
    #[error("{} can be read by others; if none has, run: chmod 600 {}", path.display(), path.display())]
    Exposed {
        /// The key's file.
        path: PathBuf,
    },
    /// The file holds something else.
    #[error("{} {source}", path.display())]
    Invalid {
        /// The key's file.
        path: PathBuf,
        /// What is wrong with it.
        source: InvalidMasterKeys,
    },
}

/// Makes the data directory if something is to lie in it, and finds the master keys: those that are configured, else those
/// of `master.key` there, which is made on the first start.
///
/// # Errors
/// When a file cannot be made or read, or others can read the key.
pub fn prepare_data_dir(config: &Config, entropy: &dyn Entropy) -> Result<MasterKeys, DataDirError> {
    let holds_database =
        matches!(&config.database.engine, Engine::Sqlite { path } if path.starts_with(&config.data_dir));
    if holds_database || config.master_keys.is_none() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&config.data_dir);
        made.map_err(failed(&config.data_dir, "made"))?;
    }
    match &config.master_keys {
        Some(keys) => Ok(keys.clone()),
        None => find_or_make_key(&config.data_dir, entropy),
    }
}

fn find_or_make_key(folder: &Path, entropy: &dyn Entropy) -> Result<MasterKeys, DataDirError> {
    let path = folder.join("master.key");
    if !path.try_exists().map_err(failed(&path, "read"))? {
        make_key(&path, entropy)?;
    }
    // Read back even when just made: of two processes that start at once, both go on with the key that is there.
    let text = read_key(&path)?;
    MasterKeys::parse(text.expose_secret()).map_err(|source| DataDirError::Invalid { path, source })
}

/// Writes the key beside its place and then links it there, which fails if another process was faster: nobody ever sees
/// half a key, and no key replaces another.
fn make_key(path: &Path, entropy: &dyn Entropy) -> Result<(), DataDirError> {
    let draft = path.with_extension(format!("{:016x}.new", u64::from_ne_bytes(entropy.bytes())));
    let linked = write_key(&draft, &MasterKeys::generate(entropy)).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match linked {
        Ok(()) => {
            let path = path.display();
            tracing::warn!(%path, "made a master key for development; production takes its own from keys.master_key_file");
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) => return Err(failed(path, "made")(e)),
    }
    removed.map_err(failed(&draft, "removed"))
}

fn write_key(draft: &Path, key: &SecretString) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    writeln!(file, "{}", key.expose_secret())?;
    // What the database will hold is lost with this key: it must survive a crash right after.
    file.sync_all()
}

fn read_key(path: &Path) -> Result<SecretString, DataDirError> {
    let mut file = File::open(path).map_err(failed(path, "read"))?;
    let mode = file.metadata().map_err(failed(path, "read"))?.mode();
    if mode & 0o077 != 0 {
        return Err(DataDirError::Exposed { path: path.to_owned() });
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed(path, "read"))?;
    Ok(SecretString::from(text))
}

fn failed<'a>(path: &'a Path, verb: &'static str) -> impl FnOnce(io::Error) -> DataDirError + 'a {
    move |source| DataDirError::Io { path: path.to_owned(), verb, source }
}
