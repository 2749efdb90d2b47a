//! `palisade explain CODE`: what a diagnostic means and how to mend it.

use super::codes;
use super::output::write_to;
use crate::{Failure, Outcome};

/// Explain a diagnostic code, such as PAL-D0001
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The code, as it stands in brackets after `error` or `warning`
    code: String,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let codes = codes::all();
    let Some(entry) = codes.iter().find(|entry| entry.code.eq_ignore_ascii_case(&args.code)) else {
        return Err(Failure::new(
            format!("no diagnostic has the code `{}`", args.code),
            "`palisade list codes` shows them all",
        ));
    };
    write_to(None, |out| writeln!(out, "{}: {}\n\n{}", entry.code, entry.title, entry.explanation))?;
    Ok(Outcome::quiet())
}
