//! `palisade completions SHELL`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::output::write_to;
use crate::args::Cli;
use crate::{Failure, Outcome};

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    write_to(None, |mut out| {
        clap_complete::generate(args.shell, &mut Cli::command(), "palisade", &mut out);
        Ok(())
    })?;
    Ok(Outcome::quiet())
}
