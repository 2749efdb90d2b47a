//! `palisade check`: verdicts and findings about files.

use std::path::PathBuf;
use std::str::FromStr;

use indicatif::{ProgressBar, ProgressStyle};
use palisade_model::{Finding, Level, Severity, Verdict};
use palisade_policy::Environment;

use super::output::write_to;
use super::policies::{PolicyArgs, show};
use crate::args::Global;
use crate::config::Config;
use crate::input;
use crate::judge::Judge;
use crate::manifests::Manifests;
use crate::packs::Side;
use crate::report::{Report, Reporter, count, reporter};
use crate::{Exit, Failure, Outcome};

/// Judge manifests and other documents by policies
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  palisade check deploy/ --policies policies/
  helm template chart/ | palisade check - --policies policies/
  palisade check . --format sarif --output palisade.sarif --fail-on high")]
pub(crate) struct Args {
    /// Files or folders to judge; `-` reads the standard input
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    policies: PolicyArgs,
    /// Format of the result: human, json, sarif or junit
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = reporter)]
    format: &'static Reporter,
    /// Write the result to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// A further report, such as `sarif=palisade.sarif`; may be repeated
    #[arg(long, value_name = "FORMAT=FILE", value_parser = extra_report)]
    report: Vec<(&'static Reporter, PathBuf)>,
    /// Mildest severity to show: info, low, medium, high or critical [default: info]
    #[arg(long, value_name = "SEVERITY")]
    severity: Option<Severity>,
    /// Mildest severity that fails the run, or `never` [default: info]
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,
}

fn extra_report(text: &str) -> Result<(&'static Reporter, PathBuf), String> {
    let (format, file) = text.split_once('=').ok_or("expected FORMAT=FILE, such as `sarif=palisade.sarif`")?;
    Ok((reporter(format)?, file.into()))
}

/// What fails a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FailOn {
    Never,
    AtLeast(Severity),
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("never") { Ok(Self::Never) } else { text.parse().map(Self::AtLeast) }
    }
}

impl FailOn {
    fn includes(self, finding: &Finding) -> bool {
        finding.verdict == Verdict::Fail && matches!(self, Self::AtLeast(severity) if finding.severity >= severity)
    }
}

/// Runs the command.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let config = Config::load(global)?;
    let from_file = |text: &Option<String>, key: &str| {
        let invalid = |error| Failure::new(format!("`{key}` in palisade.toml: {error}"), "correct the value");
        text.as_deref().map(|text| text.parse().map_err(invalid)).transpose()
    };
    let fail_on = match args.fail_on {
        Some(fail_on) => fail_on,
        None => from_file(&config.check.fail_on, "check.fail-on")?.unwrap_or(FailOn::AtLeast(Severity::Info)),
    };
    let severity = match (args.severity, &config.check.severity) {
        (Some(severity), _) => severity,
        (None, Some(text)) => text
            .parse()
            .map_err(|e| Failure::new(format!("`check.severity` in palisade.toml: {e}"), "correct the value"))?,
        (None, None) => Severity::Info,
    };
    let policies = args.policies.load(&config, Side::Rules, global)?;
    let variables = args.policies.variables(&config)?;
    let jobs = input::threads(args.policies.jobs);
    let (inputs, mut diagnostics) = input::inputs(&args.paths);
    let cluster = Manifests::new(&inputs);
    let environment = Environment::new(args.policies.now(), &cluster, &variables);
    let judge = Judge::new(&policies.set, environment, args.policies.standing(global.verbose));
    let progress = progress(inputs.len(), global.quiet);
    let verdicts = judge.all(&inputs, jobs, || progress.inc(1));
    progress.finish_and_clear();

    diagnostics.extend(policies.diagnostics);
    diagnostics.extend(verdicts.diagnostics);
    let failing = verdicts.findings.iter().filter(|finding| fail_on.includes(finding)).count();
    let shown = |finding: &Finding| finding.severity >= severity || finding.verdict == Verdict::Error;
    let report = Report {
        findings: verdicts.findings.into_iter().filter(shown).collect(),
        counts: verdicts.counts,
        diagnostics,
        policies: policies.set.policies().len(),
        files: inputs.len(),
        documents: verdicts.documents,
        judged: verdicts.judged,
        jobs,
    };
    write_to(args.output.as_deref(), |out| (args.format.write)(&report, out))?;
    for (reporter, file) in &args.report {
        write_to(Some(file), |out| (reporter.write)(&report, out))?;
    }
    show(&report.diagnostics);
    Ok(conclude(&report, failing))
}

fn progress(total: usize, quiet: bool) -> ProgressBar {
    if quiet || total < 500 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:32} {pos}/{len} files, {eta} left");
    ProgressBar::new(total as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// The exit code and the reason for it.
fn conclude(report: &Report, failing: usize) -> Outcome {
    let counts = report.counts;
    let tally = format!(
        "{} by {}: {} passed, {} failed, {} warned, {} skipped, {} errors",
        count(report.judged, "resource"),
        count(report.policies, "policy"),
        counts.pass,
        counts.fail,
        counts.warn,
        counts.skip,
        counts.error
    );
    let problems = report.diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).count();
    let (exit, reason) = if counts.error + problems > 0 {
        let why = [(counts.error, "failed rule evaluation"), (problems, "problem")];
        let why: Vec<_> =
            why.iter().filter(|(number, _)| *number > 0).map(|(number, what)| count(*number, what)).collect();
        (Exit::Undecided, format!("could not decide: {}; {tally}", why.join(" and ")))
    } else if counts.total() == 0 {
        let documents = count(report.documents, "document");
        let (files, policies) = (count(report.files, "file"), count(report.policies, "policy"));
        let what = format!("no rule selects any of {documents} in {files} ({policies})");
        (Exit::Nothing, format!("nothing was evaluated: {what}; check the paths"))
    } else if failing > 0 {
        (Exit::Findings, format!("failed: {} ({} shown); {tally}", count(failing, "finding"), report.findings.len()))
    } else {
        (Exit::Passed, format!("passed: {tally}"))
    };
    Outcome { exit, reason }
}
