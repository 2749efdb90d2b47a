//! The words of the vocabulary, as the API writes them.

use palisade_api::vocabulary;
use palisade_model::{Checkpoint, Severity, Verdict};
use palisade_runtime::jobs::JobState;
use palisade_store::{DecisionGroup, ExceptionState, FindingOrder, FindingState, PolicyStatus};
use serde::{Deserialize, Serialize};

/// By what findings are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CountBy {
    /// Policy.
    Policy,
    /// Team.
    Team,
    /// Service.
    Service,
    /// Namespace of the resource.
    Namespace,
    /// Kind of the resource.
    Kind,
    /// Severity.
    Severity,
    /// Whether they count.
    Disposition,
}

/// What happens to an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Operation {
    /// It is made.
    #[default]
    Create,
    /// It replaces an older one.
    Update,
    /// It goes away.
    Delete,
}

vocabulary! {
    CountByWord = CountBy, "CountBy", "By what findings are counted.",
        ["policy", "team", "service", "namespace", "kind", "severity", "disposition"];
    OperationWord = Operation, "Operation", "What happens to an object.", ["CREATE", "UPDATE", "DELETE"];
    VerdictWord = Verdict, "Verdict", "What a rule says of an object.", ["pass", "skip", "warn", "fail", "error"];
    SeverityWord = Severity, "Severity", "How much a violation matters.", ["info", "low", "medium", "high", "critical"];
    CheckpointWord = Checkpoint, "Checkpoint", "Where a policy was asked.", ["check", "admission", "scan"];
    StateWord = FindingState, "FindingState", "Whether a finding still stands.", ["open", "resolved", "all"];
    OrderWord = FindingOrder, "FindingOrder", "How findings are ordered.", ["newest", "severity"];
    DecisionGroupWord = DecisionGroup, "DecisionGroup", "By what decisions are counted.",
        ["team", "namespace", "kind", "policy"];
    ExceptionStateWord = ExceptionState, "ExceptionState", "Where an exception stands.",
        ["requested", "approved", "rejected", "revoked"];
    JobStateWord = JobState, "JobState", "What became of a job.", ["waiting", "running", "done", "failed", "cancelled"];
    PolicyStatusWord = PolicyStatus, "PolicyStatus", "Whether a policy judges.", ["active", "rejected", "removed"];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all<T: serde::de::DeserializeOwned + Serialize>(words: &[&str]) {
        for word in words {
            let read: T = serde_json::from_value((*word).into()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), *word);
        }
    }

    #[test]
    fn documented_words_are_the_ones_that_are_read_and_written() {
        read_all::<CountByWord>(CountByWord::WORDS);
        read_all::<OperationWord>(OperationWord::WORDS);
        read_all::<VerdictWord>(VerdictWord::WORDS);
        read_all::<SeverityWord>(SeverityWord::WORDS);
        read_all::<CheckpointWord>(CheckpointWord::WORDS);
        read_all::<StateWord>(StateWord::WORDS);
        read_all::<OrderWord>(OrderWord::WORDS);
        read_all::<DecisionGroupWord>(DecisionGroupWord::WORDS);
        read_all::<ExceptionStateWord>(ExceptionStateWord::WORDS);
        read_all::<PolicyStatusWord>(PolicyStatusWord::WORDS);
    }
}
