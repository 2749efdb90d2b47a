//! What the caller of the server supplies: a loader of policies, and a clock.
//!
//! The server knows no policy language. It decides when to look for changes and what to hand in beside the files; the
//! loader (the command line puts `palisade-policies` here) decides what is in force.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use palisade_admission::Ruleset;
use palisade_model::{Diagnostic, Resource};
use palisade_policy::waiver::Entry;

use crate::{Clock, Inventory};

/// What the caller of [`crate::run`] supplies.
pub struct Wiring {
    /// What loads policies.
    pub loader: Box<dyn PolicyLoader>,
    /// Manifests to judge beside or instead of a cluster.
    pub inventory: Option<Arc<dyn Inventory>>,
    /// What time it is.
    pub clock: Clock,
}

impl fmt::Debug for Wiring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wiring").field("clock", &self.clock).finish_non_exhaustive()
    }
}

/// Loads policies by every language and keeps the last sound version of each.
pub trait PolicyLoader: Send {
    /// A number that differs whenever a file was added, removed or written; none while they are being changed. Cheap:
    /// asked several times a second.
    fn signature(&self) -> Option<u64>;

    /// Reads everything again. A document that is wrong never takes the place of one that was sound.
    fn load(&mut self, given: &Given, now: Timestamp) -> Edition;
}

/// What the server knows beside the loader's files.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Policy objects of the cluster.
    pub cluster: Vec<Resource>,
    /// Waivers that were granted through the API.
    pub waivers: Vec<Entry>,
}

/// What came of reading everything again.
#[derive(Clone, Debug)]
pub struct Edition {
    /// What judges from now on.
    pub ruleset: Arc<Ruleset>,
    /// Every document of policies and what became of it.
    pub documents: Vec<DocumentState>,
    /// What was wrong, of documents and beside them.
    pub diagnostics: Vec<Diagnostic>,
}

/// A document of policies and what became of it.
#[derive(Clone, Debug)]
pub struct DocumentState {
    /// `pack`, `file` or `cluster`.
    pub place: &'static str,
    /// The file, or `cluster:KIND/NAME`.
    pub source: String,
    /// The document as it is now.
    pub document: Resource,
    /// Why it cannot be used; none where it is in force as it is.
    pub problem: Option<String>,
    /// Whether it, or an older version of it, judges.
    pub in_force: bool,
}
