//! The command line as typed: global options and the table of commands. Each command's own options are in its file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::command::{check, completions, config, explain, init, list, man, mutate, serve, test};

/// Runs the security rules a team already owns at every checkpoint, from commit to audit.
#[derive(Debug, Parser)]
#[command(name = "palisade", version, about, max_term_width = 100, propagate_version = true)]
#[command(after_help = "Exit codes: 0 passed, 1 findings, 2 could not decide, 3 nothing was evaluated.")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// When to use colour (`NO_COLOR` is honoured)
    #[arg(long, global = true, help_heading = "Global options", value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,
    /// Configuration file; by default `palisade.toml`, looked for from the working directory upward
    #[arg(long, global = true, help_heading = "Global options", env = "PALISADE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Say less: no hints, no progress
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub(crate) quiet: bool,
    /// Say more: passed and skipped rules too
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(Box<check::Args>),
    Test(Box<test::Args>),
    Mutate(Box<mutate::Args>),
    Serve(Box<serve::Args>),
    Init(init::Args),
    Explain(explain::Args),
    List(list::Args),
    Config(config::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// When to use colour.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    /// On terminals.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Makes the choice that of every stream of the process.
    pub(crate) fn write_global(self) {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}
