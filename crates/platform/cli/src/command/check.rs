//! `palisade check`: verdicts and findings about files.

use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};
use palisade_model::{Diagnostic, Level, Severity, Verdict};
use palisade_policy::{Environment, Policy};
use palisade_verdict::Ruleset;
use palisade_verdict::waiver::Waivers;

use super::output::{replace, write_data, write_to};
use super::policies::{PolicyArgs, show};
use crate::adoption::{Frame, KnownFindings, accept, fixed, unknown_names, vague};
use crate::args::Global;
use crate::config::{Config, WAIVERS};
use crate::judge::{Counts, Judge, Verdicts, patches, without_patches};
use crate::listen::Console;
use crate::lookups::ManifestLookups;
use crate::report::{Detail, FailOn, Report, Reporter, count, reporter};
use crate::{Exit, Failure, Outcome, tally};
use palisade_policies::packs::Side;
use palisade_policies::waiver_file;

/// Judge manifests and other documents by policies
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  palisade check deploy/ --policies policies/
  helm template chart/ | palisade check - --policies policies/
  palisade check . --format sarif --output palisade.sarif --fail-on high")]
pub(crate) struct Args {
    /// Files or folders to judge; `-` reads the standard input; by default `paths` of the configuration
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    policies: PolicyArgs,
    /// Judge all documents as one array of `path` and `contents`, for Rego rules that compare them
    #[arg(long)]
    combine: bool,
    /// Write every step of Rego policies to stderr
    #[arg(long)]
    trace: bool,
    /// Format of the result: human, json, sarif, junit, github, gitlab or markdown
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = reporter)]
    format: &'static Reporter,
    /// Write the result to a file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// A further report, such as `sarif=palisade.sarif`; may be repeated
    #[arg(long, value_name = "FORMAT=FILE", value_parser = extra_report)]
    report: Vec<(&'static Reporter, PathBuf)>,
    /// Mildest severity to show: info, low, medium, high or critical [default: info]
    #[arg(long, env = "PALISADE_SEVERITY", value_name = "SEVERITY")]
    severity: Option<Severity>,
    /// Mildest severity that fails the run, or `never` [default: info]
    #[arg(long, env = "PALISADE_FAIL_ON", value_name = "SEVERITY")]
    fail_on: Option<FailOn>,
    /// Waivers with reason, owner and expiry [default: `.palisade/waivers.yaml` beside the configuration]
    #[arg(long, env = "PALISADE_WAIVERS", value_name = "FILE")]
    waivers: Option<PathBuf>,
    #[command(flatten)]
    baseline: BaselineArgs,
}

/// What happens to findings that were there before.
#[derive(Debug, clap::Args)]
struct BaselineArgs {
    /// Findings in this file are known and do not fail the run
    #[arg(long, env = "PALISADE_BASELINE", value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Accept what is found now: write it to a baseline
    #[arg(long, value_name = "FILE", conflicts_with = "prune_baseline")]
    write_baseline: Option<PathBuf>,
    /// Take what no longer occurs out of the baseline; accepts nothing new
    #[arg(long)]
    prune_baseline: bool,
}

fn extra_report(text: &str) -> Result<(&'static Reporter, PathBuf), String> {
    let (format, file) = text.split_once('=').ok_or("expected FORMAT=FILE, such as `sarif=palisade.sarif`")?;
    Ok((reporter(format)?, file.into()))
}

/// Runs the command.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    spare_inputs(args)?;
    let (report, outcome) = judge(args, global)?;
    write(&report, args.format, args.output.as_deref())?;
    for (reporter, file) in &args.report {
        write(&report, reporter, Some(file))?;
    }
    show(&report.diagnostics);
    if !global.quiet {
        let mut stderr = anstream::stderr().lock();
        for line in tally::lines(&report.tally) {
            drop(writeln!(stderr, "{line}"));
        }
    }
    // The process ends now; to free hundreds of thousands of findings one by one takes longer than to judge them.
    std::mem::forget(report);
    Ok(outcome)
}

/// Refuses reports that would replace what the run is about, or one another.
fn spare_inputs(args: &Args) -> Result<(), Failure> {
    let whole = |path: &PathBuf| {
        std::fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.clone())
    };
    let read = args.paths.iter().chain(&args.policies.policies).map(whole);
    let mut taken: Vec<PathBuf> = read.filter(|path| path.is_file()).collect();
    for file in args.output.iter().chain(args.report.iter().map(|(_, file)| file)) {
        let (place, is_special) = (whole(file), file.exists() && !file.is_file());
        if taken.contains(&place) && !is_special {
            let message =
                format!("`{}` would be written over: it is an input, or another report goes there", file.display());
            return Err(Failure::new(message, "name another file for the report"));
        }
        taken.push(place);
    }
    Ok(())
}

fn write(report: &Report, reporter: &Reporter, file: Option<&Path>) -> Result<(), Failure> {
    let write = |out: &mut dyn Write| (reporter.write)(report, out);
    if reporter.is_json { write_data(file, write) } else { write_to(file, write) }
}

/// What to judge: the paths given, else those of the configuration.
fn paths(args: &Args, config: &Config) -> Result<Vec<PathBuf>, Failure> {
    let paths = match &args.paths[..] {
        [] => config.check.paths.iter().map(|path| config.resolve(path)).collect(),
        given => given.to_vec(),
    };
    if let ([.., taken], true) = (&args.policies.policies[..], paths.is_empty()) {
        let taken = taken.display();
        let help = format!(
            "`-p` takes every path behind it, `{taken}` too: name what to judge first, as in `palisade check PATH -p POLICY`"
        );
        return Err(Failure::new(format!("nothing to judge is named: `-p` took `{taken}` for a policy"), help));
    }
    if paths.is_empty() {
        let help = "name files or folders, or list them as `paths` under [check] in palisade.toml; \
                    `palisade init` looks for them";
        return Err(Failure::new("nothing to judge is named", help));
    }
    Ok(paths)
}

/// A setting of the configuration, where it is there.
fn setting<T: FromStr<Err = String>>(text: Option<&String>, key: &str) -> Result<Option<T>, Failure> {
    let invalid = |error| Failure::new(format!("`check.{key}` in palisade.toml: {error}"), "correct the value");
    text.map(|text| text.parse().map_err(invalid)).transpose()
}

/// Judges what `args` names: everything there is to report, and how the run ends.
pub(crate) fn judge(args: &Args, global: &Global) -> Result<(Report, Outcome), Failure> {
    let config = Config::load(global)?;
    let (fail_on, severity) = thresholds(args, &config)?;
    let paths = paths(args, &config)?;
    let policies = args.policies.load(&config, Side::Rules, global)?;
    let variables = args.policies.variables(&config)?;
    let jobs = palisade_intake::threads(args.policies.jobs);
    let palisade_intake::Claimed { inputs, others, mut diagnostics } = palisade_intake::claimed(&paths);
    let (now, frame) = (args.policies.now(), Frame::new(&config.root));
    let files: Vec<_> = inputs.iter().map(|input| frame.relative(&input.name())).collect();
    let (inputs, parts_of_objects) = without_patches(inputs);
    let (patches, problems) = patches(&parts_of_objects);
    diagnostics.extend(problems);
    let (waivers, problems) = waivers(args, &config);
    diagnostics.extend(problems);
    let ruleset = Ruleset::new(policies.policies, config.overrides(), waivers, "");
    let lookups = ManifestLookups::new(&inputs, &config.network).given(&args.paths);
    let console = Console { trace: args.trace };
    let mut environment = Environment::new(now, &lookups, &variables);
    environment.listener = Some(&console);
    environment.filled_in_later = true;
    let parts = args.baseline.is_used(&config);
    let (standing, problems) = args.policies.standing(global.verbose);
    diagnostics.extend(problems);
    let judge =
        Judge { ruleset: &ruleset, environment, manifests: &lookups, standing: &standing, frame: &frame, parts };
    let progress = progress(inputs.len(), global.quiet);
    let mut verdicts =
        if args.combine { judge.combined(&inputs, jobs) } else { judge.all(&inputs, jobs, || progress.inc(1)) };
    progress.finish_and_clear();
    verdicts.tally.absorb(others);
    verdicts.tally.absorb(patches);

    diagnostics.extend(unknown_names(&config, ruleset.policies()));
    diagnostics.extend(policies.diagnostics);
    diagnostics.append(&mut verdicts.diagnostics);
    diagnostics.extend(lookups.told().into_iter().chain(standing.old.told()));
    diagnostics.extend(verdicts.waivers.review(&ruleset.waivers, &files, now));
    let mut known = KnownFindings::new(&frame, &files);
    if !args.policies.policies.is_empty() {
        known.limit_to(ruleset.policies());
    }
    let written = args.baseline.apply(&config, known, &mut verdicts, &mut diagnostics)?;
    let failing = verdicts.findings.iter().filter(|finding| fail_on.includes(finding)).count();
    let counts = Counts::of(verdicts.counts, &verdicts.findings);
    verdicts.findings.retain(|finding| finding.severity >= severity || finding.verdict == Verdict::Error);
    let hidden = failing - verdicts.findings.iter().filter(|finding| fail_on.includes(finding)).count();
    let report = Report {
        findings: verdicts.findings,
        counts,
        diagnostics,
        policies: ruleset.policies().len(),
        files: palisade_intake::total(&verdicts.tally.documents),
        tally: verdicts.tally,
        documents: verdicts.documents,
        judged: verdicts.judged,
        jobs,
        fail_on,
        detail: Detail::of(global),
    };
    let mut outcome = conclude(&report, failing);
    if hidden > 0 && outcome.exit == Exit::Findings {
        let _ = write!(
            outcome.reason,
            "; severity `{severity}` hides {hidden} of them: lower `--severity` or raise `--fail-on`"
        );
    }
    without_effect(args, ruleset.policies(), &mut outcome);
    outcome.reason.extend(written.map(|written| format!("; {written}")));
    Ok((report, outcome))
}

/// What fails the run, and what is shown.
fn thresholds(args: &Args, config: &Config) -> Result<(FailOn, Severity), Failure> {
    let fail_on = match args.fail_on {
        Some(fail_on) => fail_on,
        None => setting(config.check.fail_on.as_ref(), "fail-on")?.unwrap_or(FailOn::AtLeast(Severity::Info)),
    };
    let severity = match args.severity {
        Some(severity) => severity,
        None => setting(config.check.severity.as_ref(), "severity")?.unwrap_or(Severity::Info),
    };
    Ok((fail_on, severity))
}

/// Says which of the options about policies did nothing.
fn without_effect(args: &Args, policies: &[Arc<dyn Policy>], outcome: &mut Outcome) {
    if let ([first, ..], [], Exit::Nothing) = (&args.policies.policies[..], policies, outcome.exit) {
        let _ = write!(outcome.reason, "; `-p` took `{}`, which holds no policy", first.display());
    }
    let is_program = |policy: &Arc<dyn Policy>| &*policy.reference().kind == "RegoPackage";
    if args.policies.programs.names_packages() && !policies.iter().any(is_program) {
        outcome.reason.push_str("; `--namespace` has no effect: it chooses Rego packages, and no such package judges");
    }
}

/// The waivers of the waiver file.
fn waivers(args: &Args, config: &Config) -> (Waivers, Vec<Diagnostic>) {
    let named = args.waivers.clone().or_else(|| config.check.waivers.as_deref().map(|file| config.resolve(file)));
    let usual = || Some(config.resolve(Path::new(WAIVERS))).filter(|file| file.exists());
    named.or_else(usual).map(|file| waiver_file::read(&file)).unwrap_or_default()
}

impl BaselineArgs {
    fn file(&self, config: &Config) -> Option<PathBuf> {
        self.baseline.clone().or_else(|| config.check.baseline.as_deref().map(|file| config.resolve(file)))
    }

    fn is_used(&self, config: &Config) -> bool {
        self.write_baseline.is_some() || self.file(config).is_some()
    }

    /// Marks what the baseline knows, and writes or prunes the baseline where asked; says what was written.
    fn apply(
        &self,
        config: &Config,
        mut known: KnownFindings<'_>,
        verdicts: &mut Verdicts,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<Option<String>, Failure> {
        let file = self.file(config);
        if self.prune_baseline && file.is_none() {
            let help = "name it with --baseline, or as `baseline` under [check] in palisade.toml";
            return Err(Failure::new("there is no baseline to prune", help));
        }
        // A baseline that is being written for the first time is not there yet.
        if let Some(file) = file.as_ref().filter(|file| self.write_baseline.is_none() || file.exists()) {
            known.read(file, diagnostics)?;
        } else if self.write_baseline.is_none() {
            return Ok(None);
        }
        let judged = verdicts.counts.total() > 0;
        let decided = judged && verdicts.counts.error == 0 && !palisade_intake::has_errors(diagnostics);
        let written = if let Some(target) = &self.write_baseline {
            let baseline = known.of(&verdicts.findings);
            accept(&mut verdicts.findings);
            Some((target.clone(), baseline)).filter(|_| judged)
        } else {
            let comparison = known.mark(verdicts);
            diagnostics.extend(vague(&comparison));
            diagnostics.extend(fixed(&comparison).filter(|_| decided && !self.prune_baseline));
            // What could not be evaluated may still be there.
            file.map(|file| (file, comparison.shrunk)).filter(|_| decided && self.prune_baseline)
        };
        let Some((file, baseline)) = written else { return Ok(None) };
        write_file(&file, &baseline.to_json())?;
        Ok(Some(format!("wrote {} to `{}`", count(baseline.len(), "known finding"), file.display())))
    }
}

pub(super) fn write_file(file: &Path, text: &str) -> Result<(), Failure> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::new(format!("making the folder `{}`: {error}", folder.display()), "check its permissions")
        })?;
    }
    replace(file, |mut out| std::io::Write::write_all(&mut out, text.as_bytes()))
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
    let Counts { counted, waived, known, audited } = report.counts;
    let mut tally = format!(
        "{} by {}: {} passed, {} failed, {} warned, {} skipped, {} errors",
        count(report.judged, "resource"),
        count(report.policies, "policy"),
        counted.pass,
        counted.fail,
        counted.warn,
        counted.skip,
        counted.error
    );
    let aside = [(waived, "waived"), (known, "known"), (audited, "audited")];
    for (number, word) in aside.iter().filter(|(number, _)| *number > 0) {
        let _ = write!(tally, ", {number} {word}");
    }
    let problems = report.diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).count();
    let errors = counted.error as usize;
    let (exit, reason) = if errors + problems > 0 {
        let why = [(errors, "failed rule evaluation"), (problems, "problem")];
        let why: Vec<_> =
            why.iter().filter(|(number, _)| *number > 0).map(|(number, what)| count(*number, what)).collect();
        (Exit::Undecided, format!("could not decide: {}; {tally}", why.join(" and ")))
    } else if report.counts.total() == 0 {
        let documents = count(report.documents, "document");
        let (files, policies) = (count(report.files, "file"), count(report.policies, "policy"));
        let what = format!("no rule selects any of {documents} in {files} ({policies})");
        (Exit::Nothing, format!("nothing was evaluated: {what}; check the paths"))
    } else if failing > 0 {
        let shown = report.findings.iter().filter(|finding| finding.disposition.counts()).count();
        (Exit::Findings, format!("failed: {} ({} shown); {tally}", count(failing, "finding"), shown))
    } else {
        (Exit::Passed, format!("passed: {tally}"))
    };
    Outcome { exit, reason }
}
