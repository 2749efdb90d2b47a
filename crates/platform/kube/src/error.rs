//! What may go wrong with a Kubernetes API server.

/// An operation on a cluster that failed.
#[derive(Debug, thiserror::Error)]
pub enum KubeError {
    /// Where the cluster is, or who we are to it, cannot be read.
    #[error("cannot tell how to reach the Kubernetes API server: {reason}; {remedy}")]
    Configuration {
        /// What is wrong.
        reason: String,
        /// What to do next.
        remedy: &'static str,
    },
    /// The API server did not answer.
    #[error(
        "the Kubernetes API server at `{server}` does not answer ({operation}): {reason}; see whether it runs and whether \
         its address and certificate in the kubeconfig are right"
    )]
    Unreachable {
        /// Its address.
        server: String,
        /// What was asked of it.
        operation: String,
        /// What happened.
        reason: String,
    },
    /// The API server refused.
    #[error("the Kubernetes API server refused {operation}: {message}")]
    Refused {
        /// What was asked of it.
        operation: String,
        /// The HTTP status.
        code: u16,
        /// Kubernetes' reason, such as `NotFound`.
        reason: String,
        /// Its words.
        message: String,
    },
    /// The API server's answer is not what it should be.
    #[error("the answer of the Kubernetes API server to {operation} cannot be used: {reason}")]
    Answer {
        /// What was asked of it.
        operation: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The cluster has no such kind.
    #[error("the cluster has no kind `{0}`; install its CustomResourceDefinition")]
    UnknownKind(String),
    /// A certificate cannot be made or kept.
    #[error("cannot {operation}: {reason}")]
    Certificate {
        /// What was to be done.
        operation: String,
        /// What happened.
        reason: String,
    },
}

impl KubeError {
    /// Of what the client says about `operation` on the server at `server`.
    pub(crate) fn of(error: kube::Error, server: &str, operation: impl Into<String>) -> Self {
        let operation = operation.into();
        match error {
            kube::Error::Api(status) => Self::of_status(*status, operation),
            other => Self::Unreachable { server: server.into(), operation, reason: innermost(&other) },
        }
    }

    pub(crate) fn of_status(status: kube::core::Status, operation: impl Into<String>) -> Self {
        let operation = operation.into();
        Self::Refused { operation, code: status.code, reason: status.reason, message: status.message }
    }

    fn is(&self, expected: u16) -> bool {
        matches!(self, Self::Refused { code, .. } if *code == expected)
    }

    /// Whether the object or its kind does not exist.
    pub fn is_not_found(&self) -> bool {
        self.is(404)
    }

    /// Whether somebody else changed, made or owns what was to be written.
    pub fn is_conflict(&self) -> bool {
        self.is(409)
    }

    /// Whether we are not permitted to do so.
    pub fn is_forbidden(&self) -> bool {
        self.is(403)
    }

    /// Whether a watch is to start anew with a list.
    pub(crate) fn is_gone(&self) -> bool {
        self.is(410)
    }
}

/// What an error was caused by in the end: the outer layers of an HTTP client say little.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
