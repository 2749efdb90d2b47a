//! What the caller of the server supplies: a loader of policies, manifests, and a clock.
//!
//! The server decides when to look for changes and what to hand in beside the files; the loader decides what is in force.
//! It is [`palisade_policies::Catalogue`] but in tests, which bring policies of their own. Deliberately absent: policy
//! languages, which the catalogue knows.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use palisade_kube::Outside;
use palisade_policies::{Catalogue, Edition, Given};

use crate::{Clock, Inventory};

/// What the caller of [`crate::run`] supplies.
pub struct Wiring {
    /// What loads policies.
    pub loader: Box<dyn PolicyLoader>,
    /// Manifests to judge beside or instead of a cluster.
    pub inventory: Option<Arc<dyn Inventory>>,
    /// What policies may look up and no cluster answers.
    pub outside: Outside,
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

impl PolicyLoader for Catalogue {
    fn signature(&self) -> Option<u64> {
        Self::signature(self)
    }

    fn load(&mut self, given: &Given, now: Timestamp) -> Edition {
        self.reload(given, now)
    }
}
