//! `palisade test` for Rego: everything below the paths is one program, and its `test_` rules are run as by `opa test`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use jiff::Timestamp;
use palisade_intake::in_parallel;
use palisade_model::Diagnostic;
use palisade_policy::testing::{Mode, TestOutcome, TestReport};
use palisade_rego::machine::coverage::{Coverage, Report};
use palisade_rego::testing::{Ran, Suite, Test};
use regex::Regex;

use palisade_policies::programs::{Files, ProgramOptions, programs};

/// Options of Rego's tests.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct RegoTestArgs {
    /// Only Rego tests whose path (`data.main.test_it`) matches
    #[arg(long, help_heading = "Rego tests", value_name = "REGEX")]
    run: Option<Regex>,
    /// Say which lines of the Rego policies the tests evaluated
    #[arg(long, help_heading = "Rego tests")]
    pub(crate) coverage: bool,
    /// The least share of covered lines, in percent; below it the run fails
    #[arg(long, help_heading = "Rego tests", value_name = "PERCENT", value_parser = percent)]
    pub(crate) threshold: Option<f64>,
    /// Data for Rego policies: JSON and YAML files, or folders of them; may be repeated
    #[arg(long, help_heading = "Rego tests", value_name = "PATH")]
    data: Vec<PathBuf>,
}

fn percent(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if (0.0..=100.0).contains(&number) { Ok(number) } else { Err("expected a number from 0 to 100".into()) }
}

/// What running Rego's tests gave.
#[derive(Debug, Default)]
pub(crate) struct RegoRun {
    /// One report per package, and one for problems.
    pub(crate) reports: Vec<TestReport>,
    /// Packages with tests.
    pub(crate) packages: usize,
    /// Lines by file, where coverage was asked for.
    pub(crate) coverage: Option<Report>,
    /// What tests printed; of those that passed only where asked for.
    pub(crate) prints: Vec<String>,
}

/// Runs the tests of all Rego programs below `paths`, of which there may be none.
pub(crate) fn run(paths: &[PathBuf], args: &RegoTestArgs, mode: Mode, now: Timestamp, jobs: usize) -> RegoRun {
    let sources = ProgramOptions { data: args.data.clone(), ..ProgramOptions::default() };
    let (programs, diagnostics) = programs(paths, &sources, &["rego"], Files::WithTests);
    if programs.modules.is_empty() {
        return RegoRun { reports: problems(diagnostics), ..RegoRun::default() };
    }
    let suite = match Suite::load(&programs) {
        Ok(suite) => suite,
        Err(errors) => {
            let reports = problems(diagnostics.into_iter().chain(errors).collect());
            return RegoRun { reports, ..RegoRun::default() };
        }
    };
    let wanted = |test: &&Test| args.run.as_ref().is_none_or(|run| run.is_match(&test.path()));
    let tests: Vec<_> = suite.tests().iter().filter(wanted).collect();
    let files = |path: &str| std::fs::read_to_string(path).map_err(|error| error.to_string());
    let ran = in_parallel(&tests, jobs, |test| suite.run(test, now, &files));
    let coverage = (args.coverage || args.threshold.is_some()).then(|| covered(&suite, &ran));
    let prints = ran.iter().flat_map(|ran| ran.prints.iter().cloned()).collect();
    let packages = by_package(ran, mode);
    RegoRun {
        packages: packages.len(),
        reports: problems(diagnostics).into_iter().chain(packages).collect(),
        coverage,
        prints,
    }
}

fn problems(diagnostics: Vec<Diagnostic>) -> Vec<TestReport> {
    let report = TestReport { diagnostics, ..TestReport::default() };
    if report.diagnostics.is_empty() { Vec::new() } else { vec![report] }
}

fn covered(suite: &Suite, ran: &[Ran]) -> Report {
    let mut all = Coverage::default();
    for ran in ran {
        all.merge(&ran.coverage);
    }
    all.report(suite.program())
}

fn by_package(ran: Vec<Ran>, mode: Mode) -> Vec<TestReport> {
    let mut packages: BTreeMap<String, TestReport> = BTreeMap::new();
    for mut row in ran.into_iter().flat_map(|ran| ran.rows) {
        if mode == Mode::Compat && row.outcome == TestOutcome::Vacuous {
            row.outcome = TestOutcome::Passed;
        }
        packages.entry(row.policy.clone()).or_default().rows.push(row);
    }
    packages.into_values().collect()
}

/// A line per file, for people.
pub(crate) fn write_coverage(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for (file, lines) in &report.files {
        let all = lines.covered.len() + lines.not_covered.len();
        let missed: Vec<_> = lines.not_covered.iter().map(ToString::to_string).collect();
        let missed =
            if missed.is_empty() { String::new() } else { format!("; not covered: lines {}", missed.join(", ")) };
        writeln!(out, "{file}: {} of {all} lines covered{missed}", lines.covered.len())?;
    }
    writeln!(out, "coverage: {:.2} %", report.percentage())
}
