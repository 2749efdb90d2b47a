//! Which findings an entry of a configuration means, and what the configuration makes of them.
//!
//! A [`Selector`] is shared by overrides and waivers, so that both are written alike. [`Overrides`] answer how a rule is
//! enforced in a place and how much its violations matter there; the last entry that matches wins. Deliberately absent:
//! file formats. Entries come from `palisade.toml` or a waiver file, which other code reads.

use palisade_model::{Fingerprint, PolicyRef, Resource, Severity, Str, wildcard};

use crate::glob::Glob;

/// A violation as selectors see it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The policy that spoke.
    pub policy: &'a PolicyRef,
    /// Its rule.
    pub rule: &'a str,
    /// The object that it is about.
    pub resource: &'a Resource,
    /// The file of the object, relative to the configuration's folder and separated by slashes.
    pub file: &'a str,
}

/// Which violations are meant. An empty list means any; entries of a list are alternatives.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    /// Policies, or rules of policies as `policy/rule`, with wildcards.
    pub policies: Vec<Str>,
    /// Kinds, with wildcards.
    pub kinds: Vec<Str>,
    /// Namespaces, with wildcards.
    pub namespaces: Vec<Str>,
    /// Names, with wildcards.
    pub names: Vec<Str>,
    /// Files.
    pub paths: Vec<Glob>,
    /// One violation exactly.
    pub fingerprint: Option<Fingerprint>,
}

impl Selector {
    /// Whether the policy, the object and its file are meant; the fingerprint is the caller's to compare.
    pub fn selects(&self, subject: &Subject<'_>) -> bool {
        any(&self.policies, |pattern| names_rule(pattern, subject.policy, subject.rule))
            && any(&self.kinds, |pattern| wildcard::matches(pattern, subject.resource.kind()))
            && any(&self.namespaces, |pattern| wildcard::matches(pattern, subject.resource.namespace()))
            && any(&self.names, |pattern| wildcard::matches(pattern, subject.resource.name()))
            && self.selects_file(subject.file)
    }

    /// Whether the file is meant.
    pub fn selects_file(&self, file: &str) -> bool {
        any(&self.paths, |glob| glob.matches(file))
    }
}

fn any<T>(alternatives: &[T], holds: impl Fn(&T) -> bool) -> bool {
    alternatives.is_empty() || alternatives.iter().any(holds)
}

/// Whether `pattern` is the policy's name (`name` or `namespace/name`), or that and the rule's (`name/rule`). Rules that
/// were derived for controllers go by the name of the rule that they come from.
pub fn names_rule(pattern: &str, policy: &PolicyRef, rule: &str) -> bool {
    if wildcard::matches(pattern, &policy.name) {
        return true;
    }
    if !pattern.contains('/') {
        return false;
    }
    let full = policy.to_string();
    let written = rule.strip_prefix("autogen-").unwrap_or(rule);
    let written = written.strip_prefix("cronjob-").filter(|_| written != rule).unwrap_or(written);
    let matches = |text: &str| wildcard::matches(pattern, text);
    matches(&full) || matches(&format!("{full}/{rule}")) || matches(&format!("{full}/{written}"))
}

/// How violations are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// They fail the run.
    Enforce,
    /// They are shown and do not fail the run.
    Warn,
    /// They are only recorded.
    Audit,
    /// The rule is not asked.
    Off,
}

/// What the configuration says of some violations.
#[derive(Clone, Debug, Default)]
pub struct Override {
    /// Which.
    pub selector: Selector,
    /// How they are treated.
    pub mode: Option<Mode>,
    /// How much they matter.
    pub severity: Option<Severity>,
}

/// What the configuration says of one violation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// How it is treated; the policy's own word where nothing is said.
    pub mode: Option<Mode>,
    /// How much it matters; the policy's own word where nothing is said.
    pub severity: Option<Severity>,
}

/// The entries in order; the last one that matches wins, for mode and severity each.
#[derive(Clone, Debug, Default)]
pub struct Overrides(pub Vec<Override>);

impl Overrides {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is said of a violation.
    pub fn settings(&self, subject: &Subject<'_>) -> Settings {
        let mut settings = Settings::default();
        for entry in self.0.iter().rev() {
            let useful = (settings.mode.is_none() && entry.mode.is_some())
                || (settings.severity.is_none() && entry.severity.is_some());
            if useful && entry.selector.selects(subject) {
                settings.mode = settings.mode.or(entry.mode);
                settings.severity = settings.severity.or(entry.severity);
            }
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use palisade_model::Value;

    use super::*;

    fn policy(namespace: Option<&str>) -> PolicyRef {
        let namespace = namespace.map(Str::from);
        PolicyRef { kind: "Policy".into(), namespace, name: "images".into(), digest: "".into() }
    }

    #[test]
    fn patterns_name_policies_and_their_rules() {
        for (pattern, rule, expected) in [
            ("images", "tag", true),
            ("image*", "tag", true),
            ("images/tag", "tag", true),
            ("images/tag", "autogen-tag", true),
            ("images/tag", "autogen-cronjob-tag", true),
            ("images/autogen-tag", "autogen-tag", true),
            ("images/t*", "tag", true),
            ("images/other", "tag", false),
            ("tag", "tag", false),
            ("*", "tag", true),
        ] {
            assert_eq!(names_rule(pattern, &policy(None), rule), expected, "{pattern} ~ {rule}");
        }
        for (pattern, expected) in
            [("images", true), ("shop/images", true), ("shop/images/tag", true), ("a/images", false)]
        {
            assert_eq!(names_rule(pattern, &policy(Some("shop")), "tag"), expected, "{pattern}");
        }
    }

    #[test]
    fn the_last_match_wins_for_mode_and_severity_each() {
        let entry = |policies: &str, path: Option<&str>, mode, severity| Override {
            selector: Selector {
                policies: vec![policies.into()],
                paths: path.map(Glob::from).into_iter().collect(),
                ..Selector::default()
            },
            mode,
            severity,
        };
        let overrides = Overrides(vec![
            entry("*", None, Some(Mode::Warn), Some(Severity::Low)),
            entry("images", Some("legacy/**"), Some(Mode::Off), None),
            entry("images/tag", None, None, Some(Severity::High)),
        ]);
        let object = Value::from_json(r#"{"kind":"Pod","metadata":{"name":"web"}}"#).unwrap();
        let resource = Resource::in_memory(object);
        let reference = policy(None);
        let ask = |rule, file| overrides.settings(&Subject { policy: &reference, rule, resource: &resource, file });
        let settings = |mode, severity| Settings { mode: Some(mode), severity: Some(severity) };
        assert_eq!(ask("tag", "a.yaml"), settings(Mode::Warn, Severity::High));
        assert_eq!(ask("tag", "legacy/a.yaml"), settings(Mode::Off, Severity::High));
        assert_eq!(ask("other", "a.yaml"), settings(Mode::Warn, Severity::Low));
    }
}
