//! `palisade init`: a configuration that fits the repository, a first check, and what to do next.
//!
//! Nothing that exists is overwritten without `--force`, and nothing outside of `palisade.toml`, `.palisade/` and files
//! of our own name is written at all.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use palisade_model::{Level, Value};
use palisade_policies::packs;

use super::check::{self, write_file};
use super::output::write_to;
use crate::args::{Cli, Command, Global};
use crate::config::FILE;
use crate::report::{Report, count};
use crate::{Exit, Failure, Outcome};
use survey::{Survey, survey};

mod ci;
mod survey;

/// Where the baseline of a new repository is.
const BASELINE: &str = ".palisade/baseline.json";
/// Charts and overlays for which a command is shown.
const MAX_RENDERED: usize = 3;
/// Places that are listed of each kind.
const MAX_PLACES: usize = 6;
/// Rules that the first check lists.
const MAX_RULES: usize = 5;

/// Set up a repository: find its manifests and policies, write palisade.toml, check for the first time
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  palisade init --dry-run
  palisade init --baseline --ci")]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command are independent")]
pub(crate) struct Args {
    /// The repository
    #[arg(value_name = "PATH", default_value = ".")]
    path: PathBuf,
    /// Accept what the first check finds: write it to .palisade/baseline.json
    #[arg(long)]
    baseline: bool,
    /// Write a job for the CI systems that the repository uses
    #[arg(long)]
    ci: bool,
    /// Print what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Overwrite files that exist
    #[arg(long)]
    force: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    if !args.path.is_dir() {
        let help = "name the folder of the repository";
        return Err(Failure::new(format!("`{}` is no folder", args.path.display()), help));
    }
    let survey = survey(&args.path, palisade_intake::threads(None));
    let mut story = found(&survey);
    if survey.manifests.is_empty() && survey.charts.is_empty() {
        tell(&story)?;
        let hint = if survey.policies.is_empty() { "" } else { "; `palisade test` runs the tests of policies" };
        let place = args.path.display();
        let reason = format!("nothing was found to judge below `{place}`; nothing was written{hint}");
        return Ok(Outcome { exit: Exit::Nothing, reason });
    }
    let (files, kept) = files(args, &survey);
    if args.dry_run {
        for (path, text) in &files {
            let _ = write!(story, "\nwould write {path}:\n\n{text}");
        }
        tell(&story)?;
        return Ok(Outcome { exit: Exit::Passed, reason: "nothing was written, as --dry-run asks".into() });
    }
    refuse_to_overwrite(args, &files)?;
    story.push('\n');
    if kept {
        let _ = writeln!(story, "kept {FILE}");
    }
    for (path, text) in &files {
        write_file(&args.path.join(path), text)?;
        let _ = writeln!(story, "wrote {path}");
    }
    let first = first_check(args, global, &survey)?;
    if let Some(report) = &first {
        if args.baseline {
            let _ = writeln!(story, "wrote {BASELINE}");
        }
        story.push_str(&summary(report));
    }
    story.push_str(&next(args, &survey, first.as_ref()));
    tell(&story)?;
    Ok(Outcome::quiet())
}

fn tell(story: &str) -> Result<(), Failure> {
    write_to(None, |out| out.write_all(crate::render::visible(story).as_bytes()))
}

/// The files to be written, relative to the repository, and whether the configuration that is there is kept: who only
/// asks for a CI job does not ask for another configuration.
fn files(args: &Args, survey: &Survey) -> (Vec<(&'static str, String)>, bool) {
    let mut files = Vec::new();
    let kept = args.ci && !args.baseline && !args.force && args.path.join(FILE).exists();
    if !kept {
        files.push((FILE, configuration(args, survey)));
    }
    if args.ci {
        let jobs = survey.ci.iter().map(|ci| ci.job(survey));
        files.extend(jobs.map(|job| (job.path, job.text)));
    }
    (files, kept)
}

fn refuse_to_overwrite(args: &Args, files: &[(&'static str, String)]) -> Result<(), Failure> {
    let baseline = args.baseline.then_some(BASELINE);
    let mut paths = files.iter().map(|(path, _)| *path).chain(baseline);
    match paths.find(|path| !args.force && args.path.join(path).symlink_metadata().is_ok()) {
        None => Ok(()),
        Some(path) => Err(Failure::new(
            format!("`{}` exists already", shown(&args.path.join(path))),
            "look at what would be written with --dry-run, and overwrite it with --force",
        )),
    }
}

/// What was found, in words.
fn found(survey: &Survey) -> String {
    let mut text = String::from("found\n");
    let mut line = |what: String, where_: String| {
        let _ = writeln!(text, "  {what}{where_}");
    };
    let at = |paths: &[PathBuf]| {
        let names: Vec<_> = paths.iter().take(MAX_PLACES).map(|path| shown(path)).collect();
        let more = paths.len().saturating_sub(MAX_PLACES);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        format!(" in {}{more}", names.join(", "))
    };
    if !survey.manifests.is_empty() {
        line(count(survey.objects, "Kubernetes object"), at(&survey.manifests));
    }
    if !survey.policies.is_empty() {
        let number = survey.languages.iter().map(|(_, number)| number).sum();
        let by: Vec<_> = survey.languages.iter().map(|(id, number)| format!("{number} {id}")).collect();
        line(format!("{} ({})", count(number, "policy"), by.join(", ")), at(&survey.policies));
    }
    if !survey.mutations.is_empty() {
        line("policies that only change objects".into(), at(&survey.mutations));
    }
    if !survey.charts.is_empty() {
        line(count(survey.charts.len(), "Helm chart"), at(&survey.charts));
    }
    if !survey.kustomizations.is_empty() {
        line(count(survey.kustomizations.len(), "kustomization"), at(&survey.kustomizations));
    }
    survey.ci.iter().for_each(|ci| line(ci.name().to_owned(), String::new()));
    if text.lines().count() == 1 {
        text.push_str("  no manifests, charts or policies\n");
    }
    text
}

/// A path as configuration files and shells write it.
fn shown(path: &Path) -> String {
    let text = path.display().to_string().replace('\\', "/");
    match text.strip_prefix("./").unwrap_or(&text) {
        "" => ".".into(),
        inside => inside.into(),
    }
}

/// The text of `palisade.toml`.
fn configuration(args: &Args, survey: &Survey) -> String {
    // A text of JSON is one of TOML.
    let list =
        |paths: &[String]| paths.iter().map(|path| Value::from(&**path).to_json()).collect::<Vec<_>>().join(", ");
    let manifests: Vec<_> = survey.manifests.iter().map(|path| shown(path)).collect();
    let policies: Vec<_> = if survey.policies.is_empty() {
        vec![packs::DEFAULT.to_owned()]
    } else {
        survey.policies.iter().map(|path| shown(path)).collect()
    };
    let mut text = String::from(
        "# How `palisade` judges this repository; `palisade explain PAL-P0002` lists every key.\n[check]\n",
    );
    if !manifests.is_empty() {
        let _ = writeln!(text, "# What is judged when no path is given.\npaths = [{}]", list(&manifests));
    }
    if !survey.policies.is_empty() {
        let _ = writeln!(text, "# Add \"{}\" for the built-in rules.", packs::DEFAULT);
    }
    let _ = writeln!(text, "policies = [{}]", list(&policies));
    text.push_str(
        "# The mildest severity that fails a run: info, low, medium, high, critical or never.\nfail-on = \"medium\"\n",
    );
    if args.baseline {
        let _ = writeln!(text, "# Findings from before the rules; only new ones fail.\nbaseline = \"{BASELINE}\"");
    }
    text
}

/// Checks with the new configuration; `None` where only charts are there, which somebody has to render.
fn first_check(args: &Args, global: &Global, survey: &Survey) -> Result<Option<Report>, Failure> {
    if survey.manifests.is_empty() {
        return Ok(None);
    }
    let mut line = vec!["palisade".into(), "check".into()];
    if args.baseline {
        line.extend(["--write-baseline".into(), args.path.join(BASELINE).into_os_string()]);
    }
    let config = Some(args.path.join(FILE));
    let global = Global { config, quiet: true, verbose: false, ..global.clone() };
    let parsed = Cli::try_parse_from(line).map_err(|error| Failure::new(error.to_string(), "report this as a bug"))?;
    let Command::Check(check) = parsed.command else { return Ok(None) };
    check::judge(&check, &global).map(|(report, _)| Some(report))
}

/// What the first check found.
fn summary(report: &Report) -> String {
    let counted = report.counts.counted;
    let found = (counted.fail + counted.warn + report.counts.known) as usize;
    let mut text = format!(
        "\nfirst check\n  {} by {}: {}\n",
        count(report.judged, "resource"),
        count(report.policies, "policy"),
        count(found, "finding"),
    );
    let problems = report.diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).count();
    for (number, what) in [(counted.error as usize, "failed rule evaluation"), (problems, "problem")] {
        if number > 0 {
            let _ = writeln!(text, "  {}, which `palisade check` shows", count(number, what));
        }
    }
    for (number, severity, rule) in report.frequent_rules().into_iter().take(MAX_RULES) {
        let _ = writeln!(text, "  {number:>5}  {severity:<8}  {rule}");
    }
    text
}

/// What to run next.
fn next(args: &Args, survey: &Survey, first: Option<&Report>) -> String {
    let mut steps: Vec<(String, &str)> = Vec::new();
    if first.is_some() {
        steps.push(("palisade check".into(), "every finding with its line"));
    }
    if first.is_some_and(|report| report.counts.counted.fail > 0) && !args.baseline {
        steps.push(("palisade init --baseline --force".into(), "accept what is there, fail on what is new"));
    }
    let rendered = survey.charts.iter().map(|chart| format!("helm template {} | palisade check -", shown(chart)));
    let built =
        survey.kustomizations.iter().map(|folder| format!("kustomize build {} | palisade check -", shown(folder)));
    steps.extend(rendered.take(MAX_RENDERED).map(|step| (step, "judge the chart as it is rendered")));
    steps.extend(built.take(MAX_RENDERED).map(|step| (step, "judge the overlay as it is built")));
    if args.ci {
        steps.extend(survey.ci.iter().filter_map(|ci| ci.job(survey).by_hand).map(|step| (step.to_owned(), "")));
    } else if !survey.ci.is_empty() {
        steps.push(("palisade init --ci".into(), "write a job for the CI of this repository"));
    }
    let change = survey.mutations.first().map(|folder| format!("palisade mutate . -p {} --diff", shown(folder)));
    steps.extend(change.map(|step| (step, "what the other policies would change")));
    let width = steps.iter().filter(|(_, why)| !why.is_empty()).map(|(step, _)| step.len()).max().unwrap_or_default();
    let line = |(step, why): &(String, &str)| match *why {
        "" => format!("  {step}\n"),
        why => format!("  {step:width$}  # {why}\n"),
    };
    format!("\nnext\n{}", steps.iter().map(line).collect::<String>())
}
