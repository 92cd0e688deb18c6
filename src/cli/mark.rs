//! `feed.mark` in the data directory: how far the database had come, so that a node which starts on an earlier state of it
//! notices. Not in the database, because that is what is set back.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    select,
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};
use tokio_util::sync::CancellationToken;

use super::{Error, error::Context};
use crate::{
    app::{App, Sequel},
    config::Config,
    domain::FeedMark,
};

/// How much of the database's last moments may be missing in the mark of a node that is killed.
const WRITE_EVERY: Duration = Duration::from_secs(1);

/// How often a busy database is asked at the end.
const LAST_TRIES: u32 = 10;

/// The file, which need not be there.
pub(super) struct MarkFile {
    path: PathBuf,
}

impl MarkFile {
    /// Where this node has it.
    pub(super) fn of(config: &Config) -> Self {
        Self { path: config.data_dir.join("feed.mark") }
    }

    /// Refuses a database that is an earlier state of the one that was served here before.
    pub(super) async fn require_sequel(&self, app: &App) -> Result<(), Error> {
        let Some(mark) = self.read()? else { return Ok(()) };
        let path = self.path.display();
        match app.sequel_of(&mark).await.context("looking how far the database has come")? {
            Sequel::GoesOn => Ok(()),
            Sequel::Another => {
                tracing::warn!(%path, "another database than the one that was served here before");
                Ok(())
            }
            Sequel::SetBack => Err(Error::Refused(format!(
                "the database was set back: {path} remembers a later state of it\n\
                 What was revoked since would count again: sessions that ended, signing keys, one-time codes.\n\
                 If a backup was restored, or a failover lost the last transactions, run `countersign accept-restore`: \
                 everybody signs in again.\n\
                 If not, this is the wrong database."
            ))),
        }
    }

    /// Writes it whenever there is something to remember, until `stop`, and a last time then.
    pub(super) async fn keep(self, app: App, stop: CancellationToken) {
        let mut ticks = interval(WRITE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut written, mut was_well) = (None, true);
        loop {
            let is_over = select! {
                () = stop.cancelled() => true,
                _ = ticks.tick() => false,
            };
            if is_over {
                // Without it the mark would be a little older than the database.
                for _ in 0..LAST_TRIES {
                    if app.pull_revocations().await.is_ok() {
                        break;
                    }
                }
            }
            let mark = app.feed_mark().await;
            if mark != written {
                let outcome = self.write(mark.as_ref()).await;
                match (&outcome, was_well) {
                    (Err(error), true) => tracing::warn!(
                        path = %self.path.display(), %error,
                        "cannot remember how far the database has come: at the next start nobody will notice if it is set back"
                    ),
                    (Ok(()), false) => tracing::info!("remembers again how far the database has come"),
                    (Err(_), false) | (Ok(()), true) => {}
                }
                was_well = outcome.is_ok();
                written = if was_well { mark } else { written };
            }
            if is_over {
                return;
            }
        }
    }

    fn read(&self) -> Result<Option<FeedMark>, Error> {
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.context("reading feed.mark")?,
        };
        text.parse().map(Some).map_err(|what| Error::Refused(format!("{} {what}", self.path.display())))
    }

    async fn write(&self, mark: Option<&FeedMark>) -> io::Result<()> {
        let Some(text) = mark.map(|mark| format!("{mark}\n")) else { return Ok(()) };
        let path = self.path.clone();
        spawn_blocking(move || replace(&path, &text)).await.map_err(io::Error::other)?
    }
}

/// Whole or not at all, and on the disk.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    // Nodes may share a directory.
    let draft = path.with_extension(format!("mark.{}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&draft, path)
}
