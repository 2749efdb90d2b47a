//! Why a test could not run on this machine. Said once, on the process's own stderr, so that a run shows what it left
//! out even where the test harness captures output.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use crate::failure::fail;

/// Set to `1` where every server must be present, as in CI: a skip is then a failure.
const REQUIRE: &str = "PALISADE_REQUIRE_SERVERS";

static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// A server that this machine lacks the programs for; its reason has been printed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub struct Skip {
    reason: String,
}

impl Skip {
    /// Prints `reason` unless it has been printed before.
    ///
    /// # Panics
    /// Where `PALISADE_REQUIRE_SERVERS=1` asks for every server.
    #[track_caller]
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        if std::env::var(REQUIRE).is_ok_and(|value| value == "1") {
            fail(&format!("{reason} ({REQUIRE}=1 makes this a failure)"));
        }
        if SAID.lock().unwrap_or_else(PoisonError::into_inner).insert(reason.clone()) {
            // Not `eprintln!`, which the test harness captures. Nobody can be told if stderr is closed.
            let _ = writeln!(std::io::stderr(), "skipped: {reason}");
        }
        Self { reason }
    }

    /// What is missing and how to get it.
    pub fn reason(&self) -> &str {
        &self.reason
    }
}
