//! The composition root: commands, configuration, reporters, and the tables that wire the engines together.
//!
//! Start at [`run`]: it parses the arguments, dispatches to one file of [`command`], and turns the outcome into an
//! exit code and a last line that says why. The engines know nothing of files, terminals or clocks; those are here.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests take the time as it is"))]

use std::ffi::OsString;

use clap::{Parser as _, error::ErrorKind};

mod adoption;
mod args;
mod beside;
pub mod command;
mod config;
mod exit;
mod judge;
mod listen;
mod lookups;
mod packs;
mod program_args;
mod rego_tests;
mod render;
mod report;
mod tally;
mod test_formats;

pub use exit::{Exit, Failure, Outcome};

/// Runs the command line `arguments`, the program's name first, and says why it ended on the last line of stderr.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match args::Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => return arguments_error(&error),
    };
    cli.global.color.write_global();
    let outcome = command::dispatch(cli);
    exit::announce(outcome)
}

fn arguments_error(error: &clap::Error) -> Exit {
    // Nothing is left to say where even the message cannot be printed.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Passed,
        _ => Exit::Undecided,
    }
}
