//! Why identity cannot be opened. What is wrong with one request is a [`Refusal`](crate::Refusal).

use std::io;
use std::path::PathBuf;

/// A failed operation of identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The configuration says something that cannot be.
    #[error("`{key}` in the configuration: {problem}; {remedy}")]
    Config {
        /// The key, with its section.
        key: &'static str,
        /// What is wrong with its value.
        problem: String,
        /// What to write instead.
        remedy: &'static str,
    },
    /// A file could not be used.
    #[error("{operation} `{}`: {source}", path.display())]
    File {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A certificate or key is not usable.
    #[error("the certificate for {purpose}: {problem}")]
    Certificate {
        /// Whom it is for.
        purpose: &'static str,
        /// What is wrong.
        problem: String,
    },
}

impl IdentityError {
    /// A failed operation on a file.
    pub(crate) fn file(operation: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::File { operation, path: path.into(), source }
    }
}
