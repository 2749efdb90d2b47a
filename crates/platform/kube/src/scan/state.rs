//! What the controllers ask of whoever runs them: a memory that survives restarts, and somebody to tell.
//!
//! The server implements these on its store. Deliberately absent: a default in memory outside tests; a controller without
//! a memory would do everything again after each restart.

use std::error::Error;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use palisade_model::decision::Subject;
use palisade_model::{Decision, PolicyRef, Severity, Str, Value, Verdict};

/// What time it is: an argument, so that tests turn it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Why something could not be remembered or told; it is tried again later.
pub type Failure = Box<dyn Error + Send + Sync>;

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

/// A small memory for each of the other controllers: one JSON document, of a size that grows with the number of policies,
/// not of objects.
pub trait ControllerState: Send + Sync {
    /// What `controller` (`generate` or `cleanup`) saved last; `None` where it never did.
    fn load<'a>(&'a self, controller: &'a str) -> BoxFuture<'a, Result<Option<Value>, Failure>>;

    /// Keeps `state` for `controller`.
    fn save<'a>(&'a self, controller: &'a str, state: &'a Value) -> BoxFuture<'a, Result<(), Failure>>;
}

/// One rule's answer about one object, for reports.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleResult {
    /// The policy.
    pub policy: Arc<PolicyRef>,
    /// Its rule.
    pub rule: Str,
    /// The answer; `skip` for a violation that somebody answers for.
    pub verdict: Verdict,
    /// How much a violation matters.
    pub severity: Severity,
    /// The policy's family; empty where it names none.
    pub category: String,
    /// The policy's words.
    pub message: String,
    /// Further facts.
    pub properties: Vec<(Str, Str)>,
}
