//! The reference pages under `docs/reference`, generated from the code. `cargo x gen` writes them; the ordinary test
//! fails when they are out of date.

use std::fmt::Write as _;
use std::path::Path;

use clap::CommandFactory as _;

use palisade_packs::{Entry, PACKS, Pack};
use palisade_policy::PolicyMeta;

use super::codes;
use crate::args::Cli;
use crate::config::sections;
use palisade_policies::packs::{self, Side};

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
        let _ =
            write!(page, "\n## {}\n\n*{}*\n\n{}\n", entry.code, entry.title, trim_lines(&codes::explanation(entry)));
    }
    page
}

/// The pages of the built-in rules: one each, and the list of them.
fn rule_pages() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    let mut index = String::from(
        "# Built-in rules\n\nGenerated from `packs/` by `cargo x gen`; `palisade explain RULE` prints the same.\n",
    );
    for (pack, group) in PACKS.iter().flat_map(|pack| pack.groups.iter().map(move |group| (pack, group))) {
        let default = if group.by_default { "on by default" } else { "off by default" };
        let _ = write!(index, "\n## pack:{}/{}\n\n{}; {default}\n\n", pack.id, group.id, group.title);
        index.push_str("| rule | severity | what it wants |\n|---|---|---|\n");
        for entry in pack.rules.iter().filter(|entry| entry.group == group.id) {
            let policy = packs::documents(pack, entry, Side::Rules).remove(0);
            let meta = PolicyMeta::of(&policy);
            let title = meta.title.unwrap_or_default();
            let _ = writeln!(index, "| [{0}]({0}.md) | {1} | {title} |", entry.id, meta.severity);
            pages.push((format!("rules/{}.md", entry.id), rule_page(pack, entry)));
        }
    }
    pages.push(("rules/README.md".to_owned(), index));
    pages
}

/// The page of a rule: what `explain` says, and its fixtures.
fn rule_page(pack: &Pack, entry: &Entry) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../packs").join(pack.id);
    let folder = folder.join(entry.group).join(entry.id);
    let fixture = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    if pack.defaults {
        let described = trim_lines(&crate::packs::describe(pack, entry));
        return format!("# {described}\n\n## The policy\n\n```yaml\n{}```\n", entry.text);
    }
    format!(
        "# {}\n\n## What fails\n\nThe marked lines are what a finding points at.\n\n```yaml\n{}```\n\n## What passes\n\n\
         ```yaml\n{}```\n",
        trim_lines(&crate::packs::describe(pack, entry)),
        fixture("fail.yaml"),
        fixture("pass.yaml"),
    )
}

/// The schema of the chart's values, with that of `config` from the declarations; the rest is written by hand.
fn values_schema(folder: &Path) -> String {
    let written = std::fs::read_to_string(folder.join("../../deploy/chart/palisade/values.schema.json")).unwrap();
    let (before, from) = written.split_once("\n    \"config\": {").unwrap();
    let (_, after) = from.split_once("\n    },\n").unwrap();
    let mut config = palisade_config::schema::schema(&sections());
    config["description"] = "palisade.toml in YAML.".into();
    let config = serde_json::to_string_pretty(&config).unwrap().replace('\n', "\n    ");
    format!("{before}\n    \"config\": {config},\n{after}")
}

fn trim_lines(text: &str) -> String {
    text.trim_end().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn reference_pages_are_up_to_date() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/reference");
    let mut pages = vec![("commands.md".to_owned(), commands()), ("codes.md".to_owned(), codes_page())];
    pages.push(("config.md".to_owned(), palisade_config::reference::page(&sections())));
    pages.push(("../../deploy/chart/palisade/values.schema.json".to_owned(), values_schema(&folder)));
    pages.extend(rule_pages());
    for (name, page) in pages {
        let file = folder.join(&name);
        if std::env::var_os("PALISADE_BLESS").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, &page).unwrap();
        }
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(written == page, "docs/reference/{name} is out of date: run `cargo x gen`");
    }
}
