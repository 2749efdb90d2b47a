//! Every key in force: its value, and where that comes from. Of an address that holds a password, the password is left
//! out.

use std::fmt;

use palisade_model::Source;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use url::Url;

use crate::{Document, Key, Kind, Section, Table, quoted};

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    /// The key with the tables around it, such as `server.api.listen`.
    pub key: String,
    /// The value as TOML.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nothing is said.
    Default,
    /// A variable of the environment.
    Variable(&'static str),
    /// A line of the file.
    Line {
        /// The file's name.
        file: String,
        /// The line, from 1.
        line: usize,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Variable(name) => f.write_str(name),
            Self::Line { file, line } => write!(f, "{file}:{line}"),
        }
    }
}

impl Document {
    /// The keys of these sections that have a value, in the order of their declaration: that of the key's variable, else
    /// that of the file, else the default.
    pub fn in_force(&self, sections: &[Section], variable: impl Fn(&str) -> Option<String>) -> Vec<InForce> {
        let mut walk = Walk { source: self.source().map(|source| &**source), variable, found: Vec::new() };
        let file = self.table();
        for section in sections {
            walk.value(section.name, &Key { kind: section.kind, ..Key::PLAIN }, file.get(section.name), true);
        }
        walk.found
    }
}

struct Walk<'a, V> {
    source: Option<&'a Source>,
    variable: V,
    found: Vec<InForce>,
}

type Written<'a> = Option<&'a Spanned<DeValue<'a>>>;

impl<V: Fn(&str) -> Option<String>> Walk<'_, V> {
    /// Shows a value; with `defaults`, that of an absent one too.
    fn value(&mut self, path: &str, key: &Key, written: Written<'_>, defaults: bool) {
        match (key.kind, written.map(Spanned::get_ref)) {
            (Kind::Table(known), None) if defaults && !known.keys.iter().any(|key| key.required) => {
                self.table(path, known, None, defaults);
            }
            (Kind::Table(known), Some(DeValue::Table(table))) => self.table(path, known, Some(table), defaults),
            (Kind::Map(_, kind), Some(DeValue::Table(table))) => {
                for (name, value) in table {
                    let path = format!("{path}.{}", bare(name.get_ref()));
                    self.value(&path, &Key { kind: *kind, ..Key::PLAIN }, Some(value), defaults);
                }
            }
            (Kind::List(Kind::Table(table)), Some(DeValue::Array(items))) => {
                for (index, item) in items.iter().enumerate() {
                    let kind = Kind::Table(table);
                    // What an entry leaves out is explained by its kind; it would hide what it says.
                    self.value(&format!("{path}[{index}]"), &Key { kind, ..Key::PLAIN }, Some(item), false);
                }
            }
            (Kind::Table(_) | Kind::Map(..) | Kind::List(Kind::Table(_)), _) => {}
            _ => self.leaf(path, key, written, defaults),
        }
    }

    fn table(&mut self, path: &str, known: &Table, written: Option<&DeTable<'_>>, defaults: bool) {
        for key in known.keys {
            let name = key.name();
            self.value(&format!("{path}.{name}"), key, written.and_then(|table| table.get(&*name)), defaults);
        }
    }

    fn leaf(&mut self, path: &str, key: &Key, written: Written<'_>, defaults: bool) {
        let variable = key.variable.and_then(|name| Some((name, (self.variable)(name)?)));
        let (value, origin) = match (variable, written.zip(self.source)) {
            (Some((name, text)), _) => (quoted(&text), Origin::Variable(name)),
            (None, Some((value, source))) => {
                let line = source.position(value.span().start).line;
                (shown(key.kind, value, source), Origin::Line { file: source.name().to_owned(), line })
            }
            (None, None) => match key.default().filter(|_| defaults) {
                Some(value) => (value, Origin::Default),
                None => return,
            },
        };
        self.found.push(InForce { key: path.to_owned(), value, origin });
    }
}

/// A value as the file has it, on one line.
fn shown(kind: Kind, value: &Spanned<DeValue<'_>>, source: &Source) -> String {
    if let (Kind::Text("URL"), Some(text)) = (kind, value.get_ref().as_str()) {
        return quoted(&without_password(text));
    }
    let text = source.text().get(value.span()).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The address with stars for its password, wherever that stands; all stars where it cannot be told apart.
fn without_password(text: &str) -> String {
    const STARS: &str = "***";
    let parsed = Url::parse(text).ok().filter(|url| !url.cannot_be_a_base());
    let Some(mut url) = parsed else {
        return if text.contains('@') { STARS.to_owned() } else { text.to_owned() };
    };
    let secret = |name: &str| name.contains("password") || name.contains("token") || name.contains("secret");
    let in_query = url.query_pairs().any(|(name, _)| secret(&name));
    if url.password().is_none() && !in_query {
        return text.to_owned();
    }
    if url.password().is_some() && url.set_password(Some(STARS)).is_err() {
        return STARS.to_owned();
    }
    if in_query {
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        let masked =
            |(name, value): (String, String)| if secret(&name) { (name, STARS.to_owned()) } else { (name, value) };
        url.query_pairs_mut().clear().extend_pairs(pairs.into_iter().map(masked));
    }
    url.into()
}

/// A name as a key, in quotes where it needs them.
fn bare(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if plain && !name.is_empty() { name.to_owned() } else { quoted(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (address, shown) in [
            ("postgres://me:hush@db/palisade", "postgres://me:***@db/palisade"),
            (
                "postgres://db/palisade?sslmode=require&password=hush",
                "postgres://db/palisade?sslmode=require&password=***",
            ),
            ("postgres://me@db/palisade", "postgres://me@db/palisade"),
            ("sqlite:kept.db", "sqlite:kept.db"),
            ("me:hush@db", "***"),
        ] {
            let masked = without_password(address);
            assert!(masked == shown && !masked.contains("hush"), "{address}: {masked}");
        }
    }
}
