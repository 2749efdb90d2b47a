//! What the scan asks of whoever runs it: a memory that survives restarts, and somebody to tell.
//!
//! The server implements these on its store. Deliberately absent: a default in memory outside tests; a scan without a
//! memory would judge everything again after each restart.

use futures_util::future::BoxFuture;
use palisade_model::decision::Subject;
use palisade_model::{Decision, Str, Value};

use crate::controller::Failure;

/// What was judged last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The decision's `input_digest`.
    pub object: Str,
    /// The decision's `ruleset_digest`.
    pub ruleset: Str,
}

/// The memory of the scan.
pub trait ScanState: Send + Sync {
    /// What was judged last of the object; `None` where it never was, or went and came again.
    fn judged<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Result<Option<Judged>, Failure>>;

    /// The objects that were judged and are not known to be gone, in a stable order, some hundreds at a time, beginning
    /// behind `after`. Empty at the end.
    fn known<'a>(&'a self, after: Option<&'a Subject>) -> BoxFuture<'a, Result<Vec<Subject>, Failure>>;
}

/// Who hears what the scan found.
pub trait ScanSink: Send + Sync {
    /// What the policies say of an object now. It replaces what they said before.
    fn judged<'a>(&'a self, object: &'a Value, decision: &'a Decision) -> BoxFuture<'a, Result<(), Failure>>;

    /// The object is gone.
    fn gone<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Result<(), Failure>>;
}
