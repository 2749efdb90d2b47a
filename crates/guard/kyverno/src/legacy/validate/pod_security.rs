//! `podSecurity`: the Pod Security Standards, less what the rule and exceptions let pass.

use palisade_model::{Str, Verdict};
use palisade_pod_security::{Check, Exclusion, Level, PodSecurityResult, Version, evaluate};

use super::{Answer, Judge};
use crate::legacy::exception::Exempted;
use crate::legacy::spec::PodSecurity;

/// A `podSecurity` block made ready.
#[derive(Debug)]
pub(crate) struct PodSecurityRule {
    level: Option<Level>,
    version: Option<Version>,
    shown: (Str, Str),
    exclude: Vec<Exclusion>,
}

impl PodSecurityRule {
    pub(super) fn compile(spec: &PodSecurity) -> Self {
        let level = match &*spec.level {
            "privileged" => Some(Level::Privileged),
            "baseline" => Some(Level::Baseline),
            "restricted" => Some(Level::Restricted),
            _ => None,
        };
        let shown = (spec.level.clone(), spec.version.clone());
        Self { level, version: version(&spec.version), shown, exclude: spec.exclude.clone() }
    }
}

fn version(text: &str) -> Option<Version> {
    match text {
        "" | "latest" => Some(Version::Latest),
        other => other.strip_prefix("v1.").and_then(|minor| minor.parse().ok()).map(Version::Minor),
    }
}

impl Judge<'_, '_> {
    pub(super) fn pod_security(&self, rule: &PodSecurityRule) -> Option<Answer> {
        if self.context.is_delete() {
            return None;
        }
        let object = self.context.object();
        let (Some(level), Some(version)) = (rule.level, rule.version) else {
            let (level, version) = &rule.shown;
            let why = format!("`{level}:{version}` is not a level and version of the Pod Security Standards");
            return Some(Answer::error("failed to parse pod security api version", why));
        };
        let judge = |exclude: &[Exclusion]| evaluate(level, version, exclude, &object);
        Some(match judge(&rule.exclude) {
            Err(error) => Answer::error("Error while getting new resource", error),
            Ok(result) if result.allowed => {
                Answer::new(Verdict::Pass, format!("Validation rule '{}' passed.", self.name))
            }
            Ok(result) => self.exempt(&result.checks, rule, judge),
        })
    }

    /// The checks that exceptions leave.
    fn exempt(
        &self,
        checks: &[Check],
        rule: &PodSecurityRule,
        judge: impl Fn(&[Exclusion]) -> Result<PodSecurityResult, String>,
    ) -> Answer {
        let exempted: Vec<Exclusion> =
            self.exempted.iter().flat_map(|exempted| exempted.pod_security).cloned().collect();
        let left = if exempted.is_empty() {
            None
        } else {
            judge(&[rule.exclude.as_slice(), exempted.as_slice()].concat()).ok()
        };
        if left.as_ref().is_some_and(|left| left.allowed) {
            let keys: Vec<Str> = self.exempted.iter().map(|exempted: &Exempted<'_>| exempted.key.clone()).collect();
            let message = format!("rule is skipped due to policy exceptions {}", keys.join(", "));
            return Answer { exceptions: keys, ..Answer::new(Verdict::Skip, message) };
        }
        let checks = left.as_ref().map_or(checks, |left| &left.checks);
        let (level, version) = &rule.shown;
        let version = if version.is_empty() { "latest" } else { version };
        let controls: Vec<&str> = checks.iter().map(|check| check.reason).collect();
        let message = format!("violates the Pod Security Standard {level}:{version}: {}", controls.join(", "));
        let paths = checks.iter().flat_map(|check| &check.violations).map(|violation| violation.path.clone());
        Answer::new(Verdict::Fail, message).at(paths.collect())
    }
}
