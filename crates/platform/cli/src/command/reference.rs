//! The reference pages under `docs/reference`, generated from the code. `cargo x gen` writes them; the ordinary test
//! fails when they are out of date.

use std::fmt::Write as _;

use clap::CommandFactory as _;

use super::codes;
use crate::args::Cli;

/// The page of commands.
fn commands() -> String {
    let mut root = Cli::command().term_width(100);
    root.build();
    let mut page = String::from("# Commands\n\nGenerated from the code by `cargo x gen`.\n");
    for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
        let help = command.clone().render_long_help().to_string();
        let _ = write!(page, "\n## palisade {}\n\n```text\n{}\n```\n", command.get_name(), trim_lines(&help));
    }
    page
}

/// The page of diagnostic codes.
fn codes_page() -> String {
    let mut page = String::from(
        "# Diagnostic codes\n\nGenerated from the code by `cargo x gen`; `palisade explain CODE` prints the same.\n",
    );
    for entry in codes::all() {
        let _ = write!(page, "\n## {}\n\n*{}*\n\n{}\n", entry.code, entry.title, trim_lines(entry.explanation));
    }
    page
}

fn trim_lines(text: &str) -> String {
    text.trim_end().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn reference_pages_are_up_to_date() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/reference");
    for (name, page) in [("commands.md", commands()), ("codes.md", codes_page())] {
        let file = folder.join(name);
        if std::env::var_os("PALISADE_BLESS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&file, &page).unwrap();
        }
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(written == page, "docs/reference/{name} is out of date: run `cargo x gen`");
    }
}
