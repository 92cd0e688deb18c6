//! What is wrong with a configuration, said so that all of it can be mended in one go.

use std::{fmt, path::PathBuf};

/// Everything that is wrong, in one report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

/// One thing that is wrong. Never holds a value, as some values are secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it was written.
    pub place: Place,
    /// Which setting, as `section.key`; empty where a whole file is meant.
    pub key: String,
    /// What is wrong, and what would be right.
    pub what: String,
}

/// Where a setting was written, the weakest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Nowhere: the default holds.
    Default,
    /// In the file.
    File {
        /// Which, as it was named.
        path: PathBuf,
        /// Counted from one.
        line: usize,
    },
    /// In the environment, under this name.
    Variable(String),
    /// On the command line.
    Flag(&'static str),
}

impl Place {
    /// Whether both are in the same source, so that neither counts more than the other.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            write!(f, "{line_break}{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            // A key that is not ours may be anything that TOML lets stand between quotes.
            write!(f, "{}: ", self.key.escape_debug())?;
        }
        f.write_str(&self.what)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("not set"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "{}", name.escape_debug()),
            Self::Flag(name) => f.write_str(name),
        }
    }
}
