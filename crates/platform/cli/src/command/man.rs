//! `palisade man`: manual pages in roff, to be read with `man -l` or installed.

use std::io::Write as _;
use std::path::PathBuf;

use clap::CommandFactory as _;

use super::output::{replace, write_to};
use crate::args::Cli;
use crate::{Failure, Outcome};

/// Print the manual page, or write one page per command
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folder to write `palisade.1`, `palisade-check.1`, ... into
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<Outcome, Failure> {
    let mut root = Cli::command();
    let Some(folder) = &args.output else {
        write_to(None, |mut out| clap_mangen::Man::new(root).render(&mut out))?;
        return Ok(Outcome::quiet());
    };
    root.build();
    let commands: Vec<_> = root.get_subcommands().filter(|command| command.get_name() != "help").cloned().collect();
    for command in std::iter::once(root).chain(commands) {
        let page = clap_mangen::Man::new(command.clone());
        let mut text = Vec::new();
        page.render(&mut text)?;
        replace(&folder.join(page.get_filename()), |mut out| out.write_all(&text))?;
    }
    Ok(Outcome::quiet())
}
