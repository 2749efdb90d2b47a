//! What holds for every rule: it says what it must, fails where its fixture is marked, and passes where it should.

use std::path::PathBuf;

use palisade_model::Value;
use palisade_packs::{Entry, KUBERNETES};

use crate::runner::{Scratch, check, documents, palisade, repository, selector};

/// The line that a finding must point at ends like this.
const MARK: &str = "# fails";

pub(crate) fn folder(entry: &Entry) -> PathBuf {
    repository().join("packs/kubernetes").join(entry.group).join(entry.id)
}

#[test]
fn there_are_the_standards_and_more_than_forty_rules_beside_them() {
    let of = |group: &str| KUBERNETES.rules.iter().filter(|entry| entry.group == group).count();
    assert_eq!((of("baseline"), of("restricted")), (12, 7));
    assert!(of("best-practices") >= 60 && of("strict") >= 20, "{} and {}", of("best-practices"), of("strict"));
}

#[test]
fn every_rule_says_what_it_must() {
    for entry in KUBERNETES.rules {
        let id = entry.id;
        let documents = documents(&folder(entry).join("rule.yaml"));
        let [document] = documents.as_slice() else { panic!("{id}: one policy a file") };
        let policy = &document.value;
        assert_eq!(policy.dig(["metadata", "name"]).and_then(Value::as_str), Some(id));
        let said = |key: &str| {
            let text = policy.dig(["metadata", "annotations", key]).and_then(Value::as_str).unwrap_or_default().trim();
            assert!(!text.is_empty(), "{id} has no {key}");
            text.to_owned()
        };
        said("policies.kyverno.io/category");
        assert!(!said("policies.kyverno.io/title").ends_with('.'), "{id}");
        assert!(["info", "low", "medium", "high", "critical"].contains(&&*said("policies.kyverno.io/severity")));
        let why = said("policies.kyverno.io/description");
        assert!(why.len() > 60 && why.ends_with(['.', ')']), "{id}: {why}");
        let remedy = said("palisade.dev/remediation");
        assert!(!remedy.ends_with('.') && !remedy.starts_with(char::is_uppercase), "{id}: {remedy}");
        said("palisade.dev/example");
        assert!(said("palisade.dev/references").split_whitespace().all(|word| word.starts_with("https://")), "{id}");
        let controls = said("palisade.dev/controls");
        for framework in ["nist-800-53:", "iso-27001:A.", "soc-2:"] {
            assert!(controls.contains(framework), "{id} serves no control of {framework}");
        }
        for validation in policy.dig(["spec", "validations"]).and_then(Value::as_array).unwrap() {
            if let Some(message) = validation.get("message").and_then(Value::as_str) {
                assert!(!message.ends_with('.') && !message.starts_with("The "), "{id}: {message}");
            }
        }
    }
}

#[test]
fn rules_fail_at_the_marked_lines_and_nowhere_else() {
    let mut breaches = Vec::new();
    for entry in KUBERNETES.rules {
        for name in ["fail.yaml", "pass.yaml"] {
            let file = folder(entry).join(name);
            let text = std::fs::read_to_string(&file).unwrap();
            let marked = |(_, line): &(u64, &str)| line.ends_with(MARK);
            let expected: Vec<u64> = (1..).zip(text.lines()).filter(marked).map(|(number, _)| number).collect();
            assert_eq!(expected.is_empty(), name == "pass.yaml", "{}", file.display());
            let (_scratch, copy) = Scratch::copy(&file);
            let found = check(&[copy], &[selector(entry.id)]);
            let mut lines: Vec<u64> = found.iter().map(|finding| finding.line).collect();
            lines.sort_unstable();
            if lines != expected || found.iter().any(|finding| finding.verdict != "fail") {
                breaches.push(format!("{}/{name}: marked {expected:?}, found {found:#?}", entry.id));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn passing_fixtures_are_judged() {
    for entry in KUBERNETES.rules {
        let (_scratch, file) = Scratch::copy(&folder(entry).join("pass.yaml"));
        let output = palisade(&["check".into(), file.display().to_string(), "-p".into(), selector(entry.id)]);
        assert_eq!(output.status.code(), Some(0), "{}: {}", entry.id, String::from_utf8_lossy(&output.stderr));
        assert!(!String::from_utf8_lossy(&output.stderr).contains(" 0 passed"), "{} judges nothing there", entry.id);
    }
}

#[test]
fn rules_about_pods_are_about_all_pods() {
    for entry in KUBERNETES.rules {
        let about_pods = entry.text.contains("resources: [pods]") && !entry.text.contains("controllers: []");
        assert_eq!(about_pods, entry.text.contains("palisade.dev/workloads: all"), "{}", entry.id);
    }
}

#[test]
fn a_hardened_deployment_has_no_findings() {
    let found = check(&[repository().join("packs/kubernetes/hardened.yaml")], &[selector("all")]);
    assert!(found.is_empty(), "{found:#?}");
}
