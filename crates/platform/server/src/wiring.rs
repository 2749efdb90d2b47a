//! What the caller of the server supplies: where policies come from.
//!
//! The server knows no policy language. It watches the ruleset that its caller builds, asks for it to be built anew, and
//! hands over what it finds in a cluster.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use palisade_admission::Ruleset;
use palisade_model::{Diagnostic, PolicyRef, Resource, Str};
use tokio::sync::watch;

use crate::Clock;

/// What the caller of [`crate::run`] supplies.
#[derive(Clone)]
pub struct Wiring {
    /// Where policies come from.
    pub policies: Arc<dyn PolicySource>,
    /// What time it is.
    pub clock: Clock,
}

impl fmt::Debug for Wiring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wiring").field("clock", &self.clock).finish_non_exhaustive()
    }
}

/// Where policies come from: loads documents by every language, keeps the last good version of each, builds rulesets.
pub trait PolicySource: Send + Sync {
    /// The ruleset in force. Every answer belongs to exactly one of them.
    fn rulesets(&self) -> watch::Receiver<Arc<Ruleset>>;

    /// How loading went.
    fn status(&self) -> watch::Receiver<Arc<PolicyStatus>>;

    /// Reads files and folders anew, soon. Returns at once.
    fn reload(&self);

    /// Replaces what the source `name` (such as `cluster`) holds. Returns at once; what is wrong with a document comes
    /// with the next status.
    fn replace(&self, name: &str, documents: Vec<Resource>);
}

/// How loading the policies went.
#[derive(Clone, Debug, Default)]
pub struct PolicyStatus {
    /// When the ruleset in force was built; none before the first one.
    pub loaded_at: Option<Timestamp>,
    /// How often loading has been tried since the start.
    pub loads: u64,
    /// How often something was wrong then, so that an older version of it stayed in force.
    pub failures: u64,
    /// Every document that is in force or should be.
    pub documents: Vec<DocumentState>,
}

/// How loading one policy document went.
#[derive(Clone, Debug)]
pub struct DocumentState {
    /// The source that it comes from, such as `cluster` or the path of a folder.
    pub source: Str,
    /// The document as its source has it now.
    pub document: Resource,
    /// The version that is in force; none where no version ever was sound.
    pub in_force: Option<Arc<PolicyRef>>,
    /// What is wrong with the document; empty where it is in force as it is.
    pub diagnostics: Vec<Diagnostic>,
}
