//! The commands, one file each. A command returns an [`Outcome`] or says why it could not run to its end.

use crate::args::{Cli, Command};
use crate::{Failure, Outcome};

pub(crate) mod check;
pub(crate) mod codes;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod mutate;
mod output;
mod policies;
#[cfg(test)]
mod reference;
pub(crate) mod serve;
pub mod test;

/// Runs the command that was asked for.
pub(crate) fn dispatch(cli: Cli) -> Result<Outcome, Failure> {
    let global = &cli.global;
    match cli.command {
        Command::Check(args) => check::run(&args, global),
        Command::Test(args) => test::run(&args, global),
        Command::Mutate(args) => mutate::run(&args, global),
        Command::Serve(args) => serve::run(&args, global),
        Command::Init(args) => init::run(&args, global),
        Command::Explain(args) => explain::run(&args),
        Command::List(args) => list::run(&args, global),
        Command::Config(args) => config::run(&args, global),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}
