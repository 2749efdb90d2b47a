//! `palisade explain NAME`: what a diagnostic or a built-in rule means and how to mend what it found.

use super::codes;
use super::output::write_to;
use crate::packs;
use crate::{Failure, Outcome};

/// Explain a diagnostic code, such as PAL-D0001, or a rule of a built-in pack, such as image-tag
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What stands in brackets after `error` or `warning`
    name: String,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let text = match codes::all().iter().find(|entry| entry.code.eq_ignore_ascii_case(&args.name)) {
        Some(entry) => format!("{}: {}\n\n{}", entry.code, entry.title, codes::explanation(entry).trim_end()),
        None => packs::explain(&args.name).ok_or_else(|| unknown(&args.name))?,
    };
    write_to(None, |out| writeln!(out, "{text}"))?;
    Ok(Outcome::quiet())
}

fn unknown(name: &str) -> Failure {
    Failure::new(
        format!("no diagnostic and no rule of a built-in pack is called `{name}`"),
        "`palisade list codes` and `palisade list policies -p pack:kubernetes/all` show them all",
    )
}
