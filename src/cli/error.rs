//! Why a command did not do what was asked, and the exit status that says so.

use std::error::Error as StdError;

use crate::config::Problems;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing was tried: the configuration is not in order.
    #[error("the configuration is refused")]
    Config(#[from] Problems),
    /// Nothing was tried: what was asked for cannot be.
    #[error("{0}")]
    Usage(String),
    /// It was tried, and the answer is no.
    #[error("{0}")]
    Refused(String),
    /// Something broke.
    #[error("{doing} failed")]
    Failed {
        /// What was tried.
        doing: &'static str,
        /// What came of it.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Error {
    /// The exit status of the process.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(_) | Self::Failed { .. } => 1,
            Self::Config(_) | Self::Usage(_) => 2,
        }
    }

    /// What went wrong and why, outermost first; one cause may take several lines.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let causes = std::iter::successors(Some(self as &dyn StdError), |error: &&dyn StdError| (*error).source());
        let mut lines: Vec<String> = Vec::new();
        for text in causes.map(ToString::to_string) {
            // Some errors of libraries say their cause's words after their own.
            if !lines.last().is_some_and(|last| last.ends_with(&text)) {
                lines.extend(text.lines().map(ToOwned::to_owned));
            }
        }
        lines
    }
}

/// Says what was tried when an error came of it.
pub(super) trait Context<T> {
    /// `doing` completes "… failed".
    fn context(self, doing: &'static str) -> Result<T, Error>;
}

impl<T, E: Into<Box<dyn StdError + Send + Sync>>> Context<T> for Result<T, E> {
    fn context(self, doing: &'static str) -> Result<T, Error> {
        self.map_err(|e| Error::Failed { doing, source: e.into() })
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("opening: {0}")]
    struct Repeating(#[from] io::Error);

    #[test]
    fn a_cause_is_told_once() {
        let inner = Repeating(io::Error::other("disk on fire"));
        let error = Err::<(), _>(inner).context("starting").unwrap_err();
        assert_eq!(error.lines(), ["starting failed", "opening: disk on fire"]);
        assert_eq!(error.exit_code(), 1);
        assert_eq!(Error::Usage("no".to_owned()).exit_code(), 2);
    }
}
