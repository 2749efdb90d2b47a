//! Why the server cannot start or go on. What is wrong with one request is never one of these.

use std::io;
use std::path::PathBuf;

/// Background tasks of the server.
pub(crate) type Tasks = palisade_runtime::Tasks<ServerError>;

/// A failed operation of the server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
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
    /// A file or folder could not be used.
    #[error("{operation} `{}`: {source}", path.display())]
    File {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// An address could not be listened on.
    #[error("listening on {address} for {purpose}: {source}; choose another address with `{key}`")]
    Listen {
        /// What it was for.
        purpose: &'static str,
        /// The address.
        address: std::net::SocketAddr,
        /// The key that holds it.
        key: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// A certificate or key is not usable.
    #[error("the certificate for {purpose}: {problem}")]
    Certificate {
        /// Which listener it is for.
        purpose: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// The store could not be opened or asked.
    #[error(transparent)]
    Store(#[from] palisade_store::StoreError),
    /// Identity could not be opened.
    #[error(transparent)]
    Identity(#[from] palisade_identity::IdentityError),
    /// What the configuration says of a cluster cannot be used.
    #[error(transparent)]
    Kubernetes(#[from] palisade_kube::KubeError),
    /// A thread or task of the server ended although it must not.
    #[error(transparent)]
    Task(#[from] palisade_runtime::TaskEnded),
}

impl ServerError {
    /// A failed operation on a file.
    pub(crate) fn file(operation: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self::File { operation, path: path.into(), source }
    }
}

impl From<palisade_runtime::spool::SpoolError> for ServerError {
    fn from(error: palisade_runtime::spool::SpoolError) -> Self {
        Self::file(error.operation, error.path, error.source)
    }
}
