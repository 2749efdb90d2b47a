//! `palisade test`: runs tests of policies and refuses the ones that exercise nothing.

use std::io::{self, Write};
use std::path::PathBuf;

use jiff::Timestamp;
use palisade_intake::{folders, in_parallel, threads};
use palisade_policy::Listener as _;
use palisade_policy::testing::{Mode, TestOutcome, TestReport, TestRow};
use palisade_rego::machine::coverage::Report;
use serde::Serialize;

use super::output::write_to;
use super::policies::show;
use crate::args::Global;
use crate::listen::Console;
use crate::rego_tests::{self, RegoTestArgs};
use crate::render::visible;
use crate::report::{DiagnosticEntry, count, diagnostic_entry, write_json};
use crate::test_formats;
use crate::{Exit, Failure, Outcome};
use palisade_policies::languages;
use palisade_runtime::Clock;

/// Run tests of policies (kyverno-test.yaml, Gatekeeper's suites, Rego's test_ rules) and refuse those that exercise nothing
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folders to search, or test files
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Count a row that exercises nothing as passed, as upstream does
    #[arg(long)]
    compat: bool,
    /// Format of the result
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = ["human", "json"])]
    format: String,
    /// Write the result to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The moment of the decisions, for policies that look at the clock; by default now
    #[arg(long, value_name = "RFC3339")]
    now: Option<Timestamp>,
    /// Threads; by default one per core
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
    #[command(flatten)]
    rego: RegoTestArgs,
}

/// What becomes of a row that exercises nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lenience {
    /// It fails.
    None,
    /// It passes, as upstream would have it.
    Upstream,
}

impl From<Lenience> for Mode {
    fn from(lenience: Lenience) -> Self {
        match lenience {
            Lenience::None => Self::Strict,
            Lenience::Upstream => Self::Compat,
        }
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let found = test_files(&args.paths);
    let lenience = if args.compat { Lenience::Upstream } else { Lenience::None };
    let now = args.now.unwrap_or_else(|| Clock::system().now());
    let mut reports = run_files(&found.files, lenience, now, args.jobs);
    let rego = rego_tests::run(&args.paths, &args.rego, lenience.into(), now, threads(args.jobs));
    reports.extend(rego.reports);
    let tally = Tally::of(&reports);
    let coverage = rego.coverage.as_ref();
    write_to(args.output.as_deref(), |out| match &*args.format {
        "json" => write_json(&body(&reports, tally, coverage), out),
        _ => human(&reports, coverage.filter(|_| args.rego.coverage), global.verbose, out),
    })?;
    if tally.failed + tally.errors > 0 || global.verbose {
        rego.prints.iter().for_each(|line| Console { trace: false }.print(line));
    }
    show(&found.diagnostics);
    for report in &reports {
        show(&report.diagnostics);
    }
    let broken = palisade_intake::has_errors(&found.diagnostics);
    let outcome = conclude(tally, found.files.len() + rego.packages, broken);
    Ok(enough(outcome, coverage, args.rego.threshold))
}

/// Fails a run that would pass where fewer lines are covered than asked for.
fn enough(outcome: Outcome, coverage: Option<&Report>, threshold: Option<f64>) -> Outcome {
    match (coverage.map(Report::percentage), threshold) {
        (Some(covered), Some(wanted)) if covered < wanted && outcome.exit == Exit::Passed => {
            let reason =
                format!("failed: coverage is {covered:.2} %, below the {wanted} % asked for; {}", outcome.reason);
            Outcome { exit: Exit::Findings, reason }
        }
        _ => outcome,
    }
}

/// The test files below `paths`; hidden folders count, because `.kyverno-test` is where libraries keep them.
pub fn test_files(paths: &[PathBuf]) -> folders::Walk {
    let mut walk = folders::files(paths, &folders::Options { hidden: true, ..folders::Options::default() });
    let named = |path: &PathBuf| paths.contains(path);
    walk.files.retain(|path| !languages::is_program(path) && (named(path) || test_formats::of(path).is_some()));
    walk
}

/// Runs test files in parallel; one report per file, in order.
pub fn run_files(files: &[PathBuf], lenience: Lenience, now: Timestamp, jobs: Option<usize>) -> Vec<TestReport> {
    in_parallel(files, threads(jobs), |path| test_formats::run(path, lenience.into(), now))
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
    vacuous: usize,
    errors: usize,
}

impl Tally {
    fn of(reports: &[TestReport]) -> Self {
        let mut tally = Self::default();
        for row in reports.iter().flat_map(|report| &report.rows) {
            *match row.outcome {
                TestOutcome::Passed => &mut tally.passed,
                TestOutcome::Failed => &mut tally.failed,
                TestOutcome::Skipped => &mut tally.skipped,
                TestOutcome::Vacuous => &mut tally.vacuous,
                TestOutcome::Error => &mut tally.errors,
            } += 1;
        }
        let rowless = |report: &&TestReport| report.rows.is_empty() && palisade_intake::has_errors(&report.diagnostics);
        tally.errors += reports.iter().filter(rowless).count();
        tally
    }

    fn total(self) -> usize {
        self.passed + self.failed + self.skipped + self.vacuous + self.errors
    }
}

#[derive(Serialize)]
struct Body<'a> {
    schema_version: &'static str,
    passed: usize,
    failed: usize,
    skipped: usize,
    vacuous: usize,
    errors: usize,
    results: Vec<Entry<'a>>,
    /// As `opa test --coverage` prints it.
    coverage: Option<palisade_model::Value>,
    diagnostics: Vec<DiagnosticEntry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    file: &'a str,
    policy: &'a str,
    rule: &'a str,
    resource: &'a str,
    expected: &'a str,
    actual: &'a str,
    outcome: &'static str,
    message: &'a str,
}

fn body<'a>(reports: &'a [TestReport], tally: Tally, coverage: Option<&Report>) -> Body<'a> {
    fn entry(row: &TestRow) -> Entry<'_> {
        let TestRow { file, policy, rule, resource, expected, actual, outcome, message } = row;
        Entry { file, policy, rule, resource, expected, actual, outcome: outcome.as_str(), message }
    }
    Body {
        schema_version: "1",
        passed: tally.passed,
        failed: tally.failed,
        skipped: tally.skipped,
        vacuous: tally.vacuous,
        errors: tally.errors,
        results: reports.iter().flat_map(|report| &report.rows).map(entry).collect(),
        coverage: coverage.map(Report::to_json),
        diagnostics: reports.iter().flat_map(|report| &report.diagnostics).map(diagnostic_entry).collect(),
    }
}

/// Rows that did not pass, below the file they are in; all rows where asked.
fn human(reports: &[TestReport], coverage: Option<&Report>, verbose: bool, out: &mut dyn Write) -> io::Result<()> {
    for report in reports {
        let worth_showing =
            |row: &&TestRow| verbose || !matches!(row.outcome, TestOutcome::Passed | TestOutcome::Skipped);
        let mut rows = report.rows.iter().filter(worth_showing).peekable();
        if let Some(first) = rows.peek() {
            writeln!(out, "{}", visible(&first.file))?;
        }
        for row in rows {
            let rule = if row.rule.is_empty() { row.policy.clone() } else { format!("{}/{}", row.policy, row.rule) };
            let TestRow { outcome, resource, expected, message, .. } = row;
            let line = format!("  {:<8} {rule}  {resource}  expected {expected}: {message}", outcome.as_str());
            writeln!(out, "{}", visible(&line))?;
        }
    }
    coverage.map_or(Ok(()), |report| rego_tests::write_coverage(report, out))
}

fn conclude(tally: Tally, files: usize, broken: bool) -> Outcome {
    let Tally { passed, failed, skipped, vacuous, errors } = tally;
    let all = format!(
        "{passed} passed, {failed} failed, {skipped} skipped, {vacuous} vacuous, {errors} errors in {}",
        count(files, "test file")
    );
    let (exit, reason) = match () {
        () if broken || errors > 0 => (Exit::Undecided, format!("could not decide: {all}")),
        () if tally.total() == 0 => (Exit::Nothing, "nothing was tested: no tests with results below the paths".into()),
        () if failed + vacuous > 0 => (Exit::Findings, format!("failed: {all}")),
        () => (Exit::Passed, format!("passed: {all}")),
    };
    Outcome { exit, reason }
}
