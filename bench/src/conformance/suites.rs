//! The table of suites, and how each is run. A suite is a folder of the corpora with cases in a public format; any
//! folder with the same layout works.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use palisade::command::test::{Lenience, run_files, test_files};
use palisade_document::{Limits, parse};
use palisade_model::{Resource, Verdict, json};
use palisade_policy::testing::TestOutcome;
use palisade_policy::{AdmissionRequest, Environment, Offline, Operation, Phase, Request, Variables, evaluate};

use crate::cel::CaseResult;
use crate::{cel, expected, rego};

/// A public suite.
pub(crate) struct Suite {
    /// Its folder among the corpora, which is also its name.
    pub(crate) folder: &'static str,
    /// Runs it.
    pub(crate) run: fn(&Path) -> Tally,
}

/// Every suite.
pub(crate) const SUITES: &[Suite] = &[
    Suite { folder: "kyverno-policies", run: kyverno_policies },
    Suite { folder: "cel-spec", run: cel_spec },
    Suite { folder: "pod-security", run: pod_security },
    Suite { folder: "gatekeeper-library", run: gatekeeper_library },
    Suite { folder: "opa-suite", run: opa_suite },
];

/// A case that did not pass.
pub(crate) struct Case {
    /// Its name within the suite.
    pub(crate) name: String,
    /// What came out, or why it cannot pass.
    pub(crate) why: String,
}

/// What a suite came to.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: Vec<Case>,
    /// Failures with a known reason.
    pub(crate) expected: Vec<Case>,
    /// Cases on the list of expected failures that pass.
    pub(crate) unexpectedly_passed: Vec<String>,
}

impl Tally {
    /// All cases.
    pub(crate) fn total(&self) -> usize {
        self.passed + self.failed.len() + self.expected.len()
    }

    /// Counts a case that this program cannot be asked to pass, for a reason that holds mechanically.
    fn cannot(&mut self, name: String, why: impl Into<String>) {
        self.expected.push(Case { name, why: why.into() });
    }

    /// Counts a case: `failure` says what came out instead of what was wanted.
    fn count(&mut self, suite: &str, name: String, failure: Option<String>) {
        let reason = expected::list(suite).get(&*name).copied();
        match (failure, reason) {
            (None, None) => self.passed += 1,
            (None, Some(_)) => self.unexpectedly_passed.push(name),
            (Some(_), Some(reason)) => self.expected.push(Case { name, why: reason.into() }),
            (Some(why), None) => self.failed.push(Case { name, why }),
        }
    }
}

/// Every row of every `kyverno-test.yaml`, with upstream's leniency.
fn kyverno_policies(folder: &Path) -> Tally {
    policy_tests("kyverno-policies", folder)
}

/// Every assertion of every suite, with upstream's leniency and upstream's choice of engine.
fn gatekeeper_library(folder: &Path) -> Tally {
    policy_tests("gatekeeper-library", folder)
}

/// Every row of the tests below a folder, as `palisade test --compat` runs them.
#[expect(clippy::disallowed_methods, reason = "suites of others are judged as of today")]
fn policy_tests(suite: &str, folder: &Path) -> Tally {
    let mut tally = Tally::default();
    let files = test_files(&[folder.to_path_buf()]).files;
    for report in run_files(&files, Lenience::Upstream, Timestamp::now(), None) {
        for row in report.rows {
            let file = Path::new(&row.file).strip_prefix(folder).unwrap_or(Path::new(&row.file)).display().to_string();
            let name = format!("{file}: {} {} {} {}", row.policy, row.rule, row.resource, row.expected);
            match row.outcome {
                TestOutcome::Passed | TestOutcome::Skipped => tally.count(suite, name, None),
                TestOutcome::Error if row.message.contains("PAL-P0001") => {
                    tally.cannot(name, "the test names a file that the suite does not contain");
                }
                _ => tally.count(suite, name, Some(row.message)),
            }
        }
    }
    tally
}

/// Every case of the CEL specification; those that need protobuf messages are outside of what JSON data can say.
fn cel_spec(folder: &Path) -> Tally {
    let mut tally = Tally::default();
    for file in files(folder, "textproto") {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let outcomes = match cel::run_file(&name, &text) {
            Ok(outcomes) => outcomes,
            Err(why) => {
                tally.count("cel-spec", name, Some(why));
                continue;
            }
        };
        for case in outcomes {
            let name = format!("{name}/{}/{}", case.section, case.name);
            match case.result {
                CaseResult::Passed => tally.count("cel-spec", name, None),
                CaseResult::Failed(why) => tally.count("cel-spec", name, Some(format!("`{}`: {why}", case.expr))),
                CaseResult::NeedsProtobuf => tally.cannot(name, "needs a protobuf message"),
            }
        }
    }
    tally
}

/// Every case of OPA's own suite. A panic is a failure of its case, as it is an error verdict in the program.
fn opa_suite(folder: &Path) -> Tally {
    let mut tally = Tally::default();
    for file in files(folder, "json") {
        let shown = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        match catch_unwind(|| rego::run_file(&text)) {
            Ok(Ok(cases)) => cases.into_iter().for_each(|case| tally.count("opa-suite", case.note, case.failure)),
            Ok(Err(why)) => tally.count("opa-suite", shown, Some(why)),
            Err(_) => tally.count("opa-suite", shown, Some("it panicked".into())),
        }
    }
    tally
}

/// Every pod at its level and version, through a `podSecurity` rule.
fn pod_security(folder: &Path) -> Tally {
    let mut tally = Tally::default();
    for file in files(folder, "yaml") {
        let parts: Vec<_> =
            file.components().rev().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        let [_, expected, version, level, ..] = &parts[..] else { continue };
        let name = file.strip_prefix(folder).unwrap_or(&file).display().to_string();
        let bytes = std::fs::read(&file).unwrap_or_default();
        let pods = parse(&name, &bytes, &Limits::default()).documents;
        let verdicts: Vec<_> = pods.iter().map(|pod| pod_verdict(level, version, &pod.resource())).collect();
        let wanted = if expected == "pass" { Verdict::Pass } else { Verdict::Fail };
        let failure = match &verdicts[..] {
            [Ok(verdict)] if *verdict == wanted => None,
            other => Some(format!("wanted {wanted}, got {other:?}")),
        };
        tally.count("pod-security", name, failure);
    }
    tally
}

fn pod_verdict(level: &str, version: &str, pod: &Resource) -> Result<Verdict, String> {
    let policy = json!({
        "apiVersion": "kyverno.io/v1",
        "kind": "ClusterPolicy",
        "metadata": {"name": "pod-security"},
        "spec": {"rules": [{
            "name": "standard",
            "match": {"any": [{"resources": {"kinds": ["Pod"]}}]},
            "validate": {"podSecurity": {"level": level, "version": version}},
        }]},
    });
    let loaded = palisade_kyverno::LANGUAGE.load(&[Resource::in_memory(policy)], &[]);
    if let Some(diagnostic) = loaded.diagnostics.first() {
        return Err(diagnostic.to_string());
    }
    let variables = Variables::default();
    let environment = Environment::new(Timestamp::UNIX_EPOCH, &Offline, &variables);
    let request = Request::admission(AdmissionRequest::of(pod, Operation::Create));
    let outcomes: Vec<_> = loaded
        .policies
        .iter()
        .flat_map(|policy| evaluate(&**policy, Phase::Validate, &request, &environment))
        .collect();
    match &outcomes[..] {
        [outcome] => Ok(outcome.verdict),
        other => Err(format!("{} outcomes", other.len())),
    }
}

/// Files below `folder` with this extension, sorted.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|end| end == extension) {
            found.push(path);
        }
    }
    found
}
