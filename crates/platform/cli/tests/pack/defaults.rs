//! The pack of secure defaults, offline: what it adds, that it adds nothing twice, and that each rule can be left out.

use std::path::PathBuf;

use palisade_packs::{Entry, SECURE_DEFAULTS};

use crate::runner::{check, palisade, repository, selector};

fn group(name: &str) -> PathBuf {
    repository().join("packs/secure-defaults").join(name)
}

fn mutate(file: &str, arguments: &[&str]) -> String {
    let command = ["mutate", file].into_iter().chain(arguments.iter().copied()).map(str::to_owned);
    let output = palisade(&command.collect::<Vec<_>>());
    assert!(output.status.code() != Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Compares with the fixture `after.yaml`, or writes it where `PALISADE_BLESS` is set.
fn compare(name: &str, found: &str) {
    let fixture = group(name).join("after.yaml");
    if std::env::var_os("PALISADE_BLESS").is_some() {
        std::fs::write(&fixture, found).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&fixture).unwrap(), found, "{}", fixture.display());
}

#[test]
fn workloads_and_namespaces_get_what_they_do_not_say() {
    for name in ["pods", "namespaces"] {
        let before = group(name).join("before.yaml").display().to_string();
        compare(name, &mutate(&before, &["-p", "pack:secure-defaults"]));
    }
}

#[test]
fn what_has_the_defaults_is_not_changed_again() {
    let after = group("pods").join("after.yaml");
    let text = std::fs::read_to_string(&after).unwrap();
    assert_eq!(mutate(&after.display().to_string(), &["-p", "pack:secure-defaults"]), text);
}

#[test]
fn a_workload_that_says_nothing_meets_the_restricted_standard_afterwards() {
    let of_web = |name: &str| {
        let found = check(&[group("pods").join(name)], &[selector("restricted")]);
        found.into_iter().filter(|finding| finding.kind_and_name() == ("Deployment", "web")).collect::<Vec<_>>()
    };
    assert!(of_web("before.yaml").len() >= 4);
    assert_eq!(of_web("after.yaml"), []);
}

#[test]
fn each_rule_can_be_chosen_and_switched_off() {
    let folder = std::env::temp_dir().join(format!("palisade-defaults-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for entry in SECURE_DEFAULTS.rules {
        let before = group(entry.group).join("before.yaml").display().to_string();
        let all = mutate(&before, &["-p", "pack:secure-defaults", "--diff"]);
        let alone = mutate(&before, &["-p", &format!("pack:secure-defaults/{}", entry.id), "--diff"]);
        let config = folder.join("palisade.toml");
        std::fs::write(&config, format!("[[override]]\npolicies = ['{}']\nmode = 'off'\n", entry.id)).unwrap();
        let config = config.display().to_string();
        let without = mutate(&before, &["-p", "pack:secure-defaults", "--diff", "--config", &config]);
        assert_eq!(added(&without) + added(&alone), added(&all), "{}: {without}\n{alone}", entry.id);
        assert!(added(&alone) > 0 && says_why(entry), "{} changes nothing", entry.id);
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// Lines that a diff adds, without the keys that several rules share.
fn added(diff: &str) -> usize {
    let shared = ["securityContext:", "---", "+++"];
    diff.lines().filter(|line| line.starts_with('+') && !shared.iter().any(|key| line.contains(key))).count()
}

fn says_why(entry: &Entry) -> bool {
    ["policies.kyverno.io/description", "palisade.dev/remediation", "palisade.dev/controls"]
        .iter()
        .all(|key| entry.text.contains(key))
}
