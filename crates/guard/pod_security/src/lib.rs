//! The Pod Security Standards, as Kubernetes' admission plugin checks them and Kyverno's `podSecurity` rules use them.
//!
//! Every check is a function of the pod and of the Kubernetes version whose rules apply. Kyverno's exclusions work on
//! the offending fields that a check reports: a control is satisfied once all of its fields are excluded.
//! Deliberately absent: selecting resources and exceptions, which belong to the rule engine.

mod catalog;
mod container_checks;
mod exclusion;
mod forbidden;
mod pod;
mod pod_checks;
mod security_checks;

use std::collections::HashSet;
use std::str::FromStr;

use palisade_model::{Path, Segment, Str, Value};

use catalog::{CATALOG, Entry};
use forbidden::{Bad, Forbidden};
use pod::Pod;

/// A profile of the Pod Security Standards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// No restrictions.
    Privileged,
    /// Prevents known privilege escalations.
    Baseline,
    /// Current hardening practice.
    Restricted,
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "privileged" => Ok(Self::Privileged),
            "baseline" => Ok(Self::Baseline),
            "restricted" => Ok(Self::Restricted),
            _ => Err(format!("unknown level `{text}`: one of privileged, baseline, restricted")),
        }
    }
}

/// The Kubernetes version whose checks apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// `v1.MINOR`.
    Minor(u32),
    /// `latest`.
    Latest,
}

impl Version {
    fn minor(self) -> u32 {
        match self {
            Self::Minor(minor) => minor,
            Self::Latest => u32::MAX,
        }
    }
}

impl FromStr for Version {
    type Err = String;

    /// Reads `latest`, nothing (which means the same) or `v1.29`.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() || text == "latest" {
            return Ok(Self::Latest);
        }
        let minor = text.strip_prefix("v1.").filter(|minor| minor.bytes().all(|byte| byte.is_ascii_digit()));
        let minor = minor.filter(|minor| *minor == "0" || !minor.starts_with('0'));
        let minor = minor.and_then(|minor| minor.parse().ok());
        minor.map(Self::Minor).ok_or_else(|| format!("unknown version `{text}`: use `latest` or one such as `v1.29`"))
    }
}

/// A control, or a part of it, that a rule or an exception lets pass.
#[derive(Clone, Debug, Default)]
pub struct Exclusion {
    /// The control's name, such as `Host Namespaces`.
    pub control: Str,
    /// Image wildcards of the containers concerned; empty for pod-level fields.
    pub images: Vec<Str>,
    /// The field concerned, with `[*]` for indices; empty for all fields of the control.
    pub restricted_field: Str,
    /// Wildcards of the values that are let pass; empty for all values.
    pub values: Vec<Str>,
}

/// A field that violates a control.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// Where, in the object that was handed in.
    pub path: Path,
    /// The offending value; `null` where the field is required and missing, or may not be there at all.
    pub value: Value,
    /// Kyverno's words for it.
    pub message: String,
}

/// A control that is violated.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The check's identifier, such as `capabilities_baseline`.
    pub id: &'static str,
    /// The control's name, such as `Capabilities`.
    pub control: &'static str,
    /// The short reason.
    pub reason: &'static str,
    /// Containers or volumes and what they must do.
    pub detail: String,
    /// The offending fields.
    pub violations: Vec<Violation>,
    /// Images of the containers that offend, as written and without repetition.
    pub images: Vec<Str>,
}

/// What the checks say of a pod.
#[derive(Clone, Debug, PartialEq)]
pub struct PodSecurityResult {
    /// Whether no control is violated.
    pub allowed: bool,
    /// The controls that are violated and not excluded.
    pub checks: Vec<Check>,
}

/// Judges a Pod or an object with a pod template; exclusions apply one after the other. `Err` where the object is
/// neither, or no pod can be read from it.
pub fn evaluate(
    level: Level,
    version: Version,
    exclude: &[Exclusion],
    object: &Value,
) -> Result<PodSecurityResult, String> {
    let template = template(object)?;
    let root = template.resolve(object);
    let part = |key: &str| root.and_then(|root| root.get(key));
    let pod = Pod::read(part("metadata"), part("spec"))?;
    let mut found = judge(level, version, &pod);
    let mut comparisons = exclusion::MAX_COMPARISONS;
    for exclusion in exclude {
        exclusion::apply(exclusion, &pod, &mut found, &mut comparisons, |pod| judge(level, version, pod))?;
    }
    let checks: Vec<Check> = found.into_iter().map(|found| found.into_check(&template)).collect();
    Ok(PodSecurityResult { allowed: checks.is_empty(), checks })
}

/// Where the pod is in an object.
fn template(object: &Value) -> Result<Path, String> {
    let steps: &[&str] = match object.get("kind").and_then(Value::as_str) {
        Some("Pod") => &[],
        Some("DaemonSet" | "Deployment" | "Job" | "StatefulSet" | "ReplicaSet" | "ReplicationController") => {
            &["spec", "template"]
        }
        Some("CronJob") => &["spec", "jobTemplate", "spec", "template"],
        Some(other) => return Err(format!("a `{other}` has no pod template; match Pods or their controllers only")),
        None => return Err("the object has no kind, so it is not known where its pod is".into()),
    };
    Ok(steps.iter().copied().collect())
}

/// A check that forbids the pod.
struct Found<'a> {
    entry: &'static Entry,
    forbidden: Forbidden<'a>,
}

fn judge<'a>(level: Level, version: Version, pod: &Pod<'a>) -> Vec<Found<'a>> {
    let minor = version.minor();
    let run = |entry: &'static Entry| Some(Found { entry, forbidden: (entry.judge)(pod, minor)? });
    CATALOG.iter().filter(|entry| entry.applies(level, minor)).filter_map(run).collect()
}

impl Found<'_> {
    fn into_check(self, template: &Path) -> Check {
        let Self { entry, forbidden } = self;
        let mut seen = HashSet::new();
        let images = forbidden.fields.iter().filter_map(|field| field.container).map(|(_, image)| image);
        let images = images.filter(|image| seen.insert(*image)).map(Str::from).collect();
        let violation = |field: &forbidden::Field<'_>| {
            let path: Path =
                template.0.iter().chain(&field.path.0).cloned().collect::<Vec<Segment>>().into_iter().collect();
            let value = match &field.bad {
                Bad::Value(value) => value.clone(),
                Bad::Missing | Bad::Present => Value::Null,
            };
            Violation { message: field.message(&path), path, value }
        };
        Check {
            id: entry.id,
            control: entry.control,
            reason: forbidden.reason,
            violations: forbidden.fields.iter().map(violation).collect(),
            detail: forbidden.detail,
            images,
        }
    }
}

#[cfg(test)]
mod tests;
