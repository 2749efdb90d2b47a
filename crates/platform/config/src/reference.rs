//! The sections in words: the page of the reference, and the list that `palisade explain` prints.

use std::fmt::Write as _;

use crate::{Key, Kind, Section, Table};

/// The page, in Markdown: a heading per table, a row per key.
pub fn page(sections: &[Section]) -> String {
    let mut page = String::from(
        "# Configuration\n\nGenerated from the code by `cargo x gen`.\n\n`palisade.toml` is looked for from the working \
         directory upward; `--config` or `PALISADE_CONFIG` names another file. Every section may be left out. A key that \
         does not exist is an error. A flag of a command wins over a variable of the environment, that over the file, \
         the file over the default. `palisade config show --origin` prints what is in force and where it comes from.\n",
    );
    for table in tables(sections) {
        let level = if table.path.contains('.') { "###" } else { "##" };
        let _ = write!(page, "\n{level} {}\n\n{}\n\n", table.heading(), sentence(table.doc));
        match table.keys {
            Keys::Fixed(keys) => {
                page.push_str("| key | value | default | what |\n|---|---|---|---|\n");
                page.extend(keys.iter().filter(|key| !is_nested(key.kind)).map(row));
            }
            Keys::Free(name, kind) => {
                let _ = writeln!(page, "Each key is a {name}, each value one of {}.", kind.described());
            }
        }
    }
    page
}

/// The keys as a file would write them, each at its default or with what it takes.
pub fn listing(sections: &[Section]) -> String {
    let mut text = String::new();
    for table in tables(sections) {
        let _ = writeln!(text, "\n    {}", table.heading());
        let lines: Vec<_> = match table.keys {
            Keys::Fixed(keys) => keys.iter().filter(|key| !is_nested(key.kind)).map(line).collect(),
            Keys::Free(name, kind) => vec![format!("# {name} = {}", kind.described().replace('`', ""))],
        };
        for line in lines {
            let _ = writeln!(text, "    {line}");
        }
    }
    text
}

/// A table of the file.
struct Heading {
    path: String,
    repeated: bool,
    doc: &'static str,
    keys: Keys,
}

enum Keys {
    Fixed(&'static [Key]),
    Free(&'static str, Kind),
}

impl Heading {
    fn heading(&self) -> String {
        if self.repeated { format!("[[{}]]", self.path) } else { format!("[{}]", self.path) }
    }
}

/// All tables, each before those within it.
fn tables(sections: &[Section]) -> Vec<Heading> {
    let mut found = Vec::new();
    for section in sections {
        collect(section.name.to_owned(), section.kind, section.doc, false, &mut found);
    }
    found
}

fn collect(path: String, kind: Kind, doc: &'static str, repeated: bool, found: &mut Vec<Heading>) {
    match kind {
        Kind::Table(Table { keys, .. }) => {
            found.push(Heading { path: path.clone(), repeated, doc, keys: Keys::Fixed(keys) });
            for key in *keys {
                collect(format!("{path}.{}", key.name()), key.kind, key.doc, false, found);
            }
        }
        Kind::List(kind @ Kind::Table(_)) => collect(path, *kind, doc, true, found),
        Kind::Map(name, kind) => found.push(Heading { path, repeated, doc, keys: Keys::Free(name, *kind) }),
        _ => {}
    }
}

/// Whether a key has a heading of its own.
const fn is_nested(kind: Kind) -> bool {
    matches!(kind, Kind::Table(_) | Kind::Map(..) | Kind::List(Kind::Table(_)))
}

fn row(key: &Key) -> String {
    let default = match key.default() {
        Some(value) => format!("`{value}`"),
        None if key.required => "required".to_owned(),
        None => "none".to_owned(),
    };
    let variable = key.variable.map(|name| format!(" `{name}` wins over it.")).unwrap_or_default();
    let what = sentence(key.doc) + &variable;
    format!("| `{}` | {} | {default} | {} |\n", key.name(), key.kind.described(), what.replace('|', "\\|"))
}

fn line(key: &Key) -> String {
    let kind = || key.kind.described().replace('`', "");
    match key.default() {
        Some(value) => format!("{} = {value}", key.name()),
        None if key.required => format!("# {} = {}; required", key.name(), kind()),
        None => format!("# {} = {}", key.name(), kind()),
    }
}

/// A doc comment as text.
fn sentence(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}
