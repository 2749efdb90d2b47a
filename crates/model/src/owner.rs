//! Who answers for something: a team and the service that it runs.

use std::fmt;

use crate::Str;

/// A team and a service, as a catalogue names them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner {
    /// The team; `unowned` where the catalogue knows none.
    pub team: Str,
    /// The service; the workload's name where the catalogue knows none.
    pub service: Str,
}

impl fmt::Display for Owner {
    /// `team/service`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.team, self.service)
    }
}
