//! What is wrong now, per resource and checkpoint, and what was and is no more.

use jiff::Timestamp;
use palisade_model::{Checkpoint, Control, Severity, Verdict, VerdictCounts};
use serde::{Deserialize, Serialize};

use crate::{Listed, Page, ResourceIdentity, Store, StoreError};

/// A complete answer about one resource at one checkpoint: what is not among its findings is resolved.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The resource.
    pub resource: ResourceIdentity,
    /// API version of the resource.
    pub version: String,
    /// Unique identifier in the cluster, empty outside of one.
    pub uid: String,
    /// SHA-256 of its labels.
    pub labels_digest: String,
    /// SHA-256 of what was judged.
    pub input_digest: String,
    /// SHA-256 of the policies that judged.
    pub ruleset_digest: String,
    /// The team that answers for it.
    pub team: String,
    /// The service that it belongs to.
    pub service: String,
    /// Where it was judged.
    pub checkpoint: Checkpoint,
    /// All answers.
    pub counts: VerdictCounts,
    /// Failures, warnings and errors.
    pub findings: Vec<ObservedFinding>,
    /// When it was judged.
    pub time: Timestamp,
}

/// One finding as a checkpoint saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ObservedFinding {
    /// Identity of the finding across runs, 32 hexadecimal digits.
    pub fingerprint: String,
    /// The policy as `namespace/name` or `name`.
    pub policy: String,
    /// Kind of the policy.
    pub policy_kind: String,
    /// SHA-256 of the version of the policy.
    pub policy_digest: String,
    /// Rule.
    pub rule: String,
    /// Verdict.
    pub verdict: Verdict,
    /// Severity.
    pub severity: Severity,
    /// The policy's own words.
    pub message: String,
    /// The offending field, empty where the rule names none.
    pub path: String,
    /// How to mend it.
    pub remediation: Option<String>,
    /// Controls that the policy serves.
    pub controls: Vec<Control>,
    /// `counted`, `audited`, `known` or `waived`.
    pub disposition: String,
}

/// A stored finding.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FindingRecord {
    /// Its identifier (UUIDv7), kept when it comes back after it was resolved.
    pub id: String,
    /// Identifier of the resource.
    pub resource_id: String,
    /// The resource.
    pub resource: ResourceIdentity,
    /// Where it was found.
    pub checkpoint: Checkpoint,
    /// What was found.
    #[serde(flatten)]
    pub finding: ObservedFinding,
    /// The team that answers for the resource.
    pub team: String,
    /// The service that the resource belongs to.
    pub service: String,
    /// First seen.
    pub first_seen: Timestamp,
    /// Last seen.
    pub last_seen: Timestamp,
    /// Since when it is no more.
    pub resolved_at: Option<Timestamp>,
}

/// Whether a finding still stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingState {
    /// It stands.
    #[default]
    Open,
    /// It is no more.
    Resolved,
    /// Either.
    All,
}

/// How findings are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingOrder {
    /// The newest first.
    #[default]
    Newest,
    /// The worst first, the newest first among equals.
    Severity,
}

/// Which findings are wanted. What is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct FindingFilter {
    /// Whether it still stands.
    pub state: FindingState,
    /// How they are ordered.
    pub order: FindingOrder,
    /// Identifier of the resource.
    pub resource_id: Option<String>,
    /// Where the resource lives.
    pub source: Option<String>,
    /// Checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// Policy as `namespace/name` or `name`.
    pub policy: Option<String>,
    /// Rule.
    pub rule: Option<String>,
    /// Verdict.
    pub verdict: Option<Verdict>,
    /// So severe or worse.
    pub min_severity: Option<Severity>,
    /// Kind of the resource.
    pub kind: Option<String>,
    /// Namespace of the resource.
    pub namespace: Option<String>,
    /// Of any of these teams.
    pub teams: Option<Vec<String>>,
    /// Service.
    pub service: Option<String>,
    /// Disposition.
    pub disposition: Option<String>,
    /// Fingerprint.
    pub fingerprint: Option<String>,
}

/// By what findings are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingGroup {
    /// Policy.
    Policy,
    /// Team.
    Team,
    /// Service.
    Service,
    /// Namespace.
    Namespace,
    /// Kind of the resource.
    Kind,
    /// Disposition.
    Disposition,
}

/// How many findings there are of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingCount {
    /// The group's name.
    pub key: String,
    /// All of them.
    pub total: u64,
    /// Of severity critical.
    pub critical: u64,
    /// Of severity high.
    pub high: u64,
    /// Of severity medium.
    pub medium: u64,
    /// Of severity low.
    pub low: u64,
    /// Of severity info.
    pub info: u64,
}

/// What observations changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FindingChanges {
    /// New, or back after having been resolved.
    pub opened: Vec<FindingRecord>,
    /// No more.
    pub resolved: Vec<FindingRecord>,
}

impl Store {
    /// Takes over complete answers about resources: adds the resources to the inventory, opens and resolves findings
    /// and tells the feed of changes (topic `findings`), all in one transaction. Later answers about the same resource
    /// and checkpoint in one call win; an answer that is older than what is stored changes nothing.
    pub async fn record_observations(&self, observations: &[Observation]) -> Result<FindingChanges, StoreError> {
        todo!()
    }

    /// The finding with this identifier.
    pub async fn finding(&self, id: &str) -> Result<Option<FindingRecord>, StoreError> {
        todo!()
    }

    /// Findings in the order that the filter names.
    pub async fn list_findings(
        &self,
        filter: &FindingFilter,
        page: &Page,
    ) -> Result<Listed<FindingRecord>, StoreError> {
        todo!()
    }

    /// How many findings there are per group, the largest 500 groups, the largest first.
    pub async fn count_findings(
        &self,
        filter: &FindingFilter,
        by: FindingGroup,
    ) -> Result<Vec<FindingCount>, StoreError> {
        todo!()
    }
}
