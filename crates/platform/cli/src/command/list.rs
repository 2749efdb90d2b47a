//! `palisade list KIND`: the tables of the program, for people and scripts.

use std::path::PathBuf;

use clap::ValueEnum;

use super::codes;
use super::output::write_to;
use super::policies::{named_paths, show};
use crate::args::Global;
use crate::config::Config;
use crate::render::visible;
use crate::report::REPORTERS;
use crate::{Exit, Failure, Outcome};
use palisade_policies::languages::LANGUAGES;
use palisade_policies::packs::{self, Side};
use palisade_policies::programs::ProgramOptions;

/// List what this program knows: policy languages, formats, codes, the rules of policies
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to list
    #[arg(value_enum)]
    kind: Kind,
    /// Policy files, folders or packs, for `policies` and `rules`; by default those of the configuration, else the
    /// built-in pack
    #[arg(short, long, value_name = "PATH", num_args = 1..)]
    policies: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// Policy languages that `--policies` understands
    Languages,
    /// Formats of `palisade check`
    Formats,
    /// Diagnostic codes
    Codes,
    /// Built-in packs and their groups, as `--policies` takes them
    Packs,
    /// Loaded policies, with severity and title
    Policies,
    /// Rules of the loaded policies, derived ones included
    Rules,
}

/// Runs the command.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let rows: Vec<[String; 2]> = match args.kind {
        Kind::Languages => LANGUAGES.iter().map(|l| [l.id().into(), l.summary().into()]).collect(),
        Kind::Formats => REPORTERS.iter().map(|r| [r.id.into(), r.summary.into()]).collect(),
        Kind::Codes => codes::all().into_iter().map(|entry| [entry.code.into(), entry.title.into()]).collect(),
        Kind::Packs => crate::packs::rows(),
        Kind::Policies | Kind::Rules => return list_policies(args, global),
    };
    print(&rows)?;
    Ok(Outcome::quiet())
}

fn list_policies(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let config = Config::load(global)?;
    let mut paths = named_paths(&args.policies, &config);
    if paths.is_empty() {
        paths.push(format!("{}/all", packs::DEFAULT).into());
    }
    let (paths, built_in) = packs::resolve(paths, Side::Rules)?;
    let loaded =
        palisade_policies::policies(&paths, built_in, &ProgramOptions::default(), palisade_intake::threads(None));
    let mut rows: Vec<[String; 2]> = Vec::new();
    for policy in &loaded.policies {
        let meta = policy.meta();
        let name = format!("{}/{}", policy.reference().kind, policy.reference());
        match args.kind {
            Kind::Rules => rows.extend(policy.rules().iter().map(|rule| [name.clone(), rule.name.to_string()])),
            _ => rows.push([name, format!("{} {}", meta.severity, meta.title.as_deref().unwrap_or_default())]),
        }
    }
    show(&loaded.diagnostics);
    let (empty, broken) = (rows.is_empty(), palisade_intake::has_errors(&loaded.diagnostics));
    print(&rows)?;
    Ok(match (broken, empty) {
        (true, _) => {
            Outcome { exit: Exit::Undecided, reason: "could not decide: some policies could not be loaded".into() }
        }
        (_, true) => Outcome { exit: Exit::Nothing, reason: "no policies found; name them with --policies".into() },
        _ => Outcome::quiet(),
    })
}

/// Two columns, the first as wide as it needs.
fn print(rows: &[[String; 2]]) -> Result<(), Failure> {
    let width = rows.iter().map(|[first, _]| first.chars().count()).max().unwrap_or_default();
    write_to(None, |out| {
        rows.iter().try_for_each(|[first, second]| writeln!(out, "{}", visible(&format!("{first:width$}  {second}"))))
    })
}
