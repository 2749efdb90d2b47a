//! A verdict made presentable: which policy, which resource, where, how bad, what to do.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use crate::{Location, Severity, Str, Verdict};

/// The identity of a policy and of the exact version that spoke.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyRef {
    /// The kind of the policy object: `ClusterPolicy`, `ValidatingPolicy`, `ValidatingAdmissionPolicy`.
    pub kind: Str,
    /// The namespace of a namespaced policy.
    pub namespace: Option<Str>,
    /// The name of the policy object.
    pub name: Str,
    /// SHA-256 of the policy's canonical JSON, in hexadecimal.
    pub digest: Str,
}

impl fmt::Display for PolicyRef {
    /// `namespace/name` or `name`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// A control of a compliance framework that a policy serves, such as `nist-800-53` `AC-6`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Control {
    /// The framework's identifier.
    pub framework: String,
    /// The control's identifier within it.
    pub id: String,
}

/// Names the same finding across runs: half a SHA-256 over policy, rule, resource and field, without line numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 16]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::str::FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no fingerprint: expected 32 hexadecimal digits");
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        u128::from_str_radix(text, 16).map(|bits| Self(bits.to_be_bytes())).map_err(|_| wrong())
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Leave to break a rule for a while: who answers for it, why, and until when.
#[derive(Clone, Debug)]
pub struct Waiver {
    /// Why the violation is acceptable.
    pub reason: Str,
    /// Who answers for it.
    pub owner: Str,
    /// The last day on which it holds, as `YYYY-MM-DD`.
    pub expires: Str,
    /// Where it is written.
    pub location: Option<Location>,
    /// Whether it stands in the judged file itself, as a comment or an annotation.
    pub in_source: bool,
}

/// Whether a finding counts, and if not, why. What does not count is still reported.
#[derive(Clone, Debug, Default)]
pub enum Disposition {
    /// It counts.
    #[default]
    Counted,
    /// The configuration only wants a record of it.
    Audited,
    /// The baseline has it.
    Known,
    /// Somebody answers for it.
    Waived(Arc<Waiver>),
}

impl Disposition {
    /// The word that reports use.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::Audited => "audited",
            Self::Known => "known",
            Self::Waived(_) => "waived",
        }
    }

    /// Whether the finding counts.
    pub const fn counts(&self) -> bool {
        matches!(self, Self::Counted)
    }
}

/// One offending field in a form that survives moved lines and inserted neighbours.
#[derive(Clone, Debug)]
pub struct Part {
    /// The field, with list elements by name where they have one: `spec.containers[web].image`.
    pub path: Str,
    /// The identity of the violation in this field.
    pub fingerprint: Fingerprint,
    /// What baselines of version 1 may call it: by its field alone, or by one of those around it, the nearest first.
    pub formerly: Vec<Fingerprint>,
    /// The field as it is shown: `spec.containers[0].image`.
    pub shown: Str,
    /// Where it is, for resources that came from a file.
    pub location: Option<Location>,
}

/// One rule's verdict about one resource, ready to be shown. Runs keep hundreds of thousands of these, so what many
/// findings have in common is shared.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The policy and its version.
    pub policy: Arc<PolicyRef>,
    /// The rule within the policy; equal to the policy's name where the language has no rules.
    pub rule: Str,
    /// The verdict.
    pub verdict: Verdict,
    /// How much it matters.
    pub severity: Severity,
    /// The policy's own words.
    pub message: Str,
    /// The resource, as `Kind namespace/name`.
    pub resource: Str,
    /// Which of the documents of its file, where several are alike otherwise; see [`crate::Address::part`].
    pub part: Str,
    /// The offending field, such as `spec.containers[0].image`; empty where the rule names none.
    pub path: Str,
    /// Where the offending field is, for resources that came from a file.
    pub location: Option<Location>,
    /// Further offending fields, each with its place.
    pub related: Vec<(Str, Location)>,
    /// Where the rule is written.
    pub rule_location: Option<Location>,
    /// How to mend it, from the policy.
    pub remediation: Option<Str>,
    /// Controls that the policy serves.
    pub controls: Arc<[Control]>,
    /// What the rule knows beside its words, such as the version that mends a vulnerable package.
    pub facts: Vec<(Str, Str)>,
    /// The identity of this finding across runs.
    pub fingerprint: Fingerprint,
    /// Every offending field, where a baseline asks for them; empty otherwise.
    pub parts: Vec<Part>,
    /// Whether it counts.
    pub disposition: Disposition,
}

/// How many offending fields are shown beside the first; a rule can name one per container and control.
const MAX_RELATED: usize = 9;

impl Finding {
    /// The same finding, about these fields only.
    #[must_use]
    pub fn about(&self, parts: Vec<Part>) -> Self {
        let Some(first) = parts.first() else { return self.clone() };
        let related = |part: &Part| Some((part.shown.clone(), part.location.clone()?));
        Self {
            path: first.shown.clone(),
            location: first.location.clone(),
            fingerprint: first.fingerprint,
            related: parts.iter().skip(1).filter_map(related).take(MAX_RELATED).collect(),
            parts,
            ..self.clone()
        }
    }
}
