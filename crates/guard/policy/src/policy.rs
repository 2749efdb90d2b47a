//! A loaded policy of any language.

use std::fmt;
use std::sync::Arc;

use palisade_model::{Control, Location, Path, PolicyRef, Resource, Severity, Str, Value};
use sha2::{Digest, Sha256};

use crate::{Environment, Phase, Reach, Reads, Request, RuleOutcome, Upkeep};

/// A policy that is ready to judge. Implementations are pure: no clock, no I/O, no global state.
pub trait Policy: Send + Sync + fmt::Debug {
    /// Who it is and what it consists of.
    fn info(&self) -> &PolicyInfo;

    /// Its identity and version.
    fn reference(&self) -> &PolicyRef {
        &self.info().reference
    }

    /// What it says of itself.
    fn meta(&self) -> &PolicyMeta {
        &self.info().meta
    }

    /// Its rules in order, derived ones (autogen) included.
    fn rules(&self) -> &[RuleInfo] {
        &self.info().rules
    }

    /// Whether any rule could select the request, judged by kind and operation alone. Cheap; used to skip policies.
    /// A policy that is not asked has nothing to say about the request.
    fn may_apply(&self, request: &Request) -> bool;

    /// The outcomes of the rules of `phase` that select the request, in order; empty where none does.
    fn evaluate(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<RuleOutcome>;
}

/// What is known of a policy before it is asked.
#[derive(Clone, Debug)]
pub struct PolicyInfo {
    /// Its identity and version.
    pub reference: PolicyRef,
    /// What it says of itself.
    pub meta: PolicyMeta,
    /// Where it is asked.
    pub reach: Reach,
    /// What it asks controllers to do.
    pub upkeep: Upkeep,
    /// What its answers depend on beside the desired state of the object; anything where its language states nothing.
    pub reads: Reads,
    /// Whether it is about what is written: an object of a file is put before it without the defaults that an API server
    /// fills in, and before any change.
    pub judges_written: bool,
    rules: Box<[RuleInfo]>,
    /// A bit for each phase that a rule belongs to: most policies are passed over by it in most phases.
    phases: u8,
}

impl PolicyInfo {
    /// Of the policy that `document` holds, with its rules in order.
    pub fn of(document: &Resource, rules: Vec<RuleInfo>) -> Self {
        Self::new(reference_of(document), PolicyMeta::of(document), rules)
    }

    /// Of a policy that is no document, with its rules in order.
    pub fn new(reference: PolicyRef, meta: PolicyMeta, rules: Vec<RuleInfo>) -> Self {
        let phases = rules.iter().fold(0, |phases, rule| phases | bit(rule.phase));
        let keeps_out = meta.keeps_out_of_admission;
        Self {
            reference,
            judges_written: meta.judges_written,
            meta,
            reach: Reach { admission: !keeps_out, ..Reach::default() },
            upkeep: Upkeep::default(),
            reads: Reads::anything(),
            rules: rules.into(),
            phases,
        }
    }

    /// Says where it is asked; everywhere otherwise.
    #[must_use]
    pub fn reaching(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self.reach.admission &= !self.meta.keeps_out_of_admission;
        self
    }

    /// Says what it asks controllers to do; nothing otherwise.
    #[must_use]
    pub fn keeping(mut self, upkeep: Upkeep) -> Self {
        self.upkeep = upkeep;
        self
    }

    /// Says what its answers depend on; anything otherwise.
    #[must_use]
    pub fn reading(mut self, reads: Reads) -> Self {
        self.reads = reads;
        self
    }

    /// Whether any rule is asked in `phase`.
    pub const fn has_phase(&self, phase: Phase) -> bool {
        self.phases & bit(phase) != 0
    }
}

const fn bit(phase: Phase) -> u8 {
    1 << phase as u8
}

/// The annotation that keeps a policy, or what it is bound by, to the scan of existing objects: with the value `false` it is
/// not asked at admission.
pub const ADMISSION_ANNOTATION: &str = "palisade.dev/admission";

/// The annotation of a policy about what is written: with the value `written` it sees a manifest without the defaults that
/// an API server fills in, where there is a manifest.
pub const JUDGES_ANNOTATION: &str = "palisade.dev/judges";

/// What a policy says of itself, from annotations and metadata.
#[derive(Clone, Debug, Default)]
pub struct PolicyMeta {
    /// A short title.
    pub title: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// A family, such as `Pod Security Standards (Baseline)`.
    pub category: Option<String>,
    /// How much a violation matters.
    pub severity: Severity,
    /// How to mend a violation.
    pub remediation: Option<Str>,
    /// A few lines of what is right.
    pub example: Option<Str>,
    /// Where to read on.
    pub references: Arc<[Str]>,
    /// Controls that it serves.
    pub controls: Arc<[Control]>,
    /// Where it is written.
    pub location: Option<Location>,
    /// Whether it asks not to be asked at admission; see [`ADMISSION_ANNOTATION`].
    pub keeps_out_of_admission: bool,
    /// Whether it asks to see what is written; see [`JUDGES_ANNOTATION`].
    pub judges_written: bool,
}

impl PolicyMeta {
    /// From the annotations that policy libraries share (`policies.kyverno.io/title`, `/category`, `/severity`,
    /// `/description`) and our own (`palisade.dev/remediation`, `/example`, `/references` as addresses, `/controls` as
    /// `framework:id`, separated by commas).
    pub fn of(document: &Resource) -> Self {
        let annotations = document.object.dig(["metadata", "annotations"]);
        let text = |key: &str| annotations?.get(key)?.as_str().map(|text| text.trim().to_owned());
        let controls = text("palisade.dev/controls").unwrap_or_default();
        let control = |entry: &str| {
            let (framework, id) = entry.trim().split_once(':')?;
            Some(Control { framework: framework.trim().into(), id: id.trim().into() })
        };
        Self {
            title: text("policies.kyverno.io/title"),
            description: text("policies.kyverno.io/description"),
            category: text("policies.kyverno.io/category"),
            severity: text("policies.kyverno.io/severity").and_then(|text| text.parse().ok()).unwrap_or_default(),
            remediation: text("palisade.dev/remediation").map(Str::from),
            example: text("palisade.dev/example").map(Str::from),
            references: text("palisade.dev/references")
                .iter()
                .flat_map(|text| text.split_whitespace())
                .map(Str::from)
                .collect(),
            controls: controls.split(',').filter_map(control).collect(),
            location: document.locate(&Path::from_pointer("/metadata/name")),
            keeps_out_of_admission: text(ADMISSION_ANNOTATION).as_deref() == Some("false"),
            judges_written: text(JUDGES_ANNOTATION).as_deref() == Some("written"),
        }
    }
}

/// The identity of the policy that `document` holds, with the digest of its content.
pub fn reference_of(document: &Resource) -> PolicyRef {
    let namespace = document.namespace();
    PolicyRef {
        kind: document.kind().into(),
        namespace: (!namespace.is_empty()).then(|| namespace.into()),
        name: document.object.dig(["metadata", "name"]).and_then(Value::as_str).unwrap_or_default().into(),
        digest: digest(&document.object.to_canonical_json()),
    }
}

/// A rule of a policy.
#[derive(Clone, Debug)]
pub struct RuleInfo {
    /// Its name.
    pub name: Str,
    /// When it is asked.
    pub phase: Phase,
    /// Where it is written.
    pub location: Option<Location>,
}

/// SHA-256 of a policy's canonical JSON (or program text), in hexadecimal: the version that a decision refers to.
pub fn digest(canonical_json: &str) -> Str {
    palisade_model::hex(&Sha256::digest(canonical_json.as_bytes())).into()
}
