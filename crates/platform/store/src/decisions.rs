//! What checkpoints answered, one record each, kept until retention takes them.

use jiff::Timestamp;
use palisade_model::{Checkpoint, Decision, Severity, Verdict, VerdictCounts};
use serde::{Deserialize, Serialize};

use crate::{Listed, Page, Store, StoreError};

/// One finding of a decision, in brief.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionFinding {
    /// The policy as `namespace/name` or `name`.
    pub policy: String,
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
    /// `counted`, `audited`, `known` or `waived`.
    pub disposition: String,
    /// Identity of the finding across runs.
    pub fingerprint: String,
}

/// A decision as it is stored, and as the server's journal writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// UUIDv7; the same record appended twice is stored once.
    pub id: String,
    /// When.
    pub time: Timestamp,
    /// Where it was asked.
    pub checkpoint: Checkpoint,
    /// What was to happen, such as `CREATE`.
    pub operation: String,
    /// Whether nothing would have been stored anyway.
    pub dry_run: bool,
    /// API group, empty for core.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Namespace, empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Unique identifier in the cluster.
    pub uid: String,
    /// Subresource, empty for the object itself.
    pub sub_resource: String,
    /// Who asked.
    pub username: String,
    /// Groups of the one who asked.
    pub groups: Vec<String>,
    /// Whether it may happen.
    pub allowed: bool,
    /// Why not.
    pub message: String,
    /// What the one who asked was told although it may happen.
    pub warnings: Vec<String>,
    /// Whether the object was changed.
    pub patched: bool,
    /// Failures, warnings and errors.
    pub findings: Vec<DecisionFinding>,
    /// All answers.
    pub counts: VerdictCounts,
    /// SHA-256 of what was judged.
    pub input_digest: String,
    /// SHA-256 of the policies that judged.
    pub ruleset_digest: String,
    /// The team that answers for the object.
    pub team: String,
    /// The service that the object belongs to.
    pub service: String,
    /// How long judging took, in microseconds.
    pub duration_us: u64,
}

impl DecisionRecord {
    /// The record of a decision. `id` is a UUIDv7, `duration_us` the time that judging took, in microseconds.
    pub fn new(id: String, decision: &Decision, owner: &palisade_model::Owner, duration_us: u64) -> Self {
        todo!()
    }
}

/// Which decisions are wanted. What is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct DecisionFilter {
    /// Checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Of any of these teams.
    pub teams: Option<Vec<String>>,
    /// Service.
    pub service: Option<String>,
    /// A policy that failed, warned or could not be evaluated, as `namespace/name` or `name`.
    pub policy: Option<String>,
    /// Who asked.
    pub username: Option<String>,
    /// Whether it was allowed.
    pub allowed: Option<bool>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

/// By what decisions are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecisionGroup {
    /// Team.
    Team,
    /// Namespace.
    Namespace,
    /// Kind.
    Kind,
    /// A policy that failed, warned or could not be evaluated.
    Policy,
}

/// How many decisions there are of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DecisionCount {
    /// The group's name.
    pub key: String,
    /// Allowed.
    pub allowed: u64,
    /// Denied.
    pub denied: u64,
}

impl Store {
    /// Appends decisions in one transaction, leaving out those that are stored already, and tells the feed of changes
    /// (topic `decisions`). Returns how many were new.
    pub async fn append_decisions(&self, decisions: &[DecisionRecord]) -> Result<u64, StoreError> {
        todo!()
    }

    /// The decision with this identifier.
    pub async fn decision(&self, id: &str) -> Result<Option<DecisionRecord>, StoreError> {
        todo!()
    }

    /// Decisions, the newest first.
    pub async fn list_decisions(
        &self,
        filter: &DecisionFilter,
        page: &Page,
    ) -> Result<Listed<DecisionRecord>, StoreError> {
        todo!()
    }

    /// How many decisions there are per group, the largest 500 groups, the largest first.
    pub async fn count_decisions(
        &self,
        filter: &DecisionFilter,
        by: DecisionGroup,
    ) -> Result<Vec<DecisionCount>, StoreError> {
        todo!()
    }
}
