//! One checkpoint's answer about one object: what was asked, by whom, what was found, what follows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Address, Finding, GroupVersionKind, Str, Value, Verdict};

/// Where a policy was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Checkpoint {
    /// Files, by `palisade check`.
    Check,
    /// A request to a Kubernetes API server.
    Admission,
    /// An object that exists, by the background scan.
    Scan,
}

impl Checkpoint {
    /// As records and reports write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Admission => "admission",
            Self::Scan => "scan",
        }
    }
}

/// The object that a decision is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Subject {
    /// Group, version and kind.
    pub kind: GroupVersionKind,
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: Str,
    /// Name; `generateName` where it has none yet.
    pub name: Str,
    /// Its unique identifier in the cluster; empty before it exists.
    pub uid: Str,
    /// Subresource; empty for the object itself.
    pub sub_resource: Str,
}

impl Subject {
    /// What makes it the same at the next sight, where it lives in `source` and is this `part` of it.
    pub fn address(&self, source: Str, part: Str) -> Address {
        let (kind, namespace, name) = (&self.kind, self.namespace.clone(), self.name.clone());
        Address { source, group: kind.group.clone(), kind: kind.kind.clone(), namespace, name, part }
    }
}

/// Who asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actor {
    /// User name, such as `system:serviceaccount:default:builder`.
    pub username: Str,
    /// Groups.
    pub groups: Vec<Str>,
}

/// How many rules answered what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictCounts {
    /// Satisfied.
    pub pass: u32,
    /// Violated.
    pub fail: u32,
    /// Violated, and only warned about.
    pub warn: u32,
    /// Declined to judge.
    pub skip: u32,
    /// Could not be evaluated.
    pub error: u32,
}

impl VerdictCounts {
    /// The number of answers with this verdict.
    pub const fn of(&mut self, verdict: Verdict) -> &mut u32 {
        match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Fail => &mut self.fail,
            Verdict::Warn => &mut self.warn,
            Verdict::Skip => &mut self.skip,
            Verdict::Error => &mut self.error,
        }
    }

    /// Counts an answer.
    pub const fn add(&mut self, verdict: Verdict) {
        *self.of(verdict) += 1;
    }

    /// All answers.
    pub const fn total(self) -> u32 {
        self.pass + self.fail + self.warn + self.skip + self.error
    }
}

impl std::ops::AddAssign for VerdictCounts {
    fn add_assign(&mut self, other: Self) {
        self.pass += other.pass;
        self.fail += other.fail;
        self.warn += other.warn;
        self.skip += other.skip;
        self.error += other.error;
    }
}

/// One checkpoint's answer about one object.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Where it was asked.
    pub checkpoint: Checkpoint,
    /// When.
    pub time: Timestamp,
    /// The object.
    pub subject: Subject,
    /// Its labels, by which its owner is found; `null` where it has none.
    pub labels: Value,
    /// What was to happen to it, such as `CREATE`.
    pub operation: Str,
    /// Whether nothing would have been stored anyway.
    pub dry_run: bool,
    /// Who asked.
    pub actor: Actor,
    /// Whether it may happen.
    pub allowed: bool,
    /// Why not, in words for the one who asked; empty where it may.
    pub message: String,
    /// What the one who asked should know although it may happen.
    pub warnings: Vec<String>,
    /// Facts for the audit log of the API server.
    pub annotations: Vec<(Str, Str)>,
    /// Failures, warnings and errors.
    pub findings: Vec<Finding>,
    /// All answers.
    pub counts: VerdictCounts,
    /// The object after mutation, where a mutation changed it.
    pub patched: Option<Value>,
    /// SHA-256 of what was judged, in hexadecimal.
    pub input_digest: Str,
    /// SHA-256 of the policies and agreements that judged, in hexadecimal.
    pub ruleset_digest: Str,
}
