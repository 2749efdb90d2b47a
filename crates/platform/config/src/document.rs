//! A file, checked against the table of sections: every mistake at once, each with its place and, where
//! a key is nearly one that exists, the key that was probably meant. Owners take their sections out of it.

use std::sync::Arc;

use palisade_model::{Diagnostic, Location, Source, Span, nearest};
use serde::de::DeserializeOwned;
pub use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::codes::UNUSABLE;
use crate::{Kind, Section, Table};

const HELP: &str = "`palisade explain PAL-P0002` lists the keys";

/// A file whose keys all exist and have values of the right kind; without a file, everything is at its default.
#[derive(Clone, Debug, Default)]
pub struct Document {
    source: Option<Arc<Source>>,
}

impl Document {
    /// Parses a file. What is none of the `sections`, or not of their shape, is an error.
    pub fn parse(source: &Arc<Source>, sections: &[Section]) -> Result<Self, Vec<Diagnostic>> {
        let (parsed, errors) = DeTable::parse_recoverable(source.text());
        if !errors.is_empty() {
            return Err(errors.iter().map(|error| unusable(source, error.span(), error.message())).collect());
        }
        let mut check = Check { source, diagnostics: Vec::new() };
        check.sections(parsed.get_ref(), sections);
        check.diagnostics.sort_by_key(|wrong| wrong.labels.first().map(|label| label.location.span));
        if check.diagnostics.is_empty() { Ok(Self { source: Some(source.clone()) }) } else { Err(check.diagnostics) }
    }

    /// The file, where there is one.
    pub fn source(&self) -> Option<&Arc<Source>> {
        self.source.as_ref()
    }

    /// The place of something in the file.
    pub fn locate<T>(&self, part: &Spanned<T>) -> Option<Location> {
        Some(Location { source: self.source()?.clone(), span: Span::new(part.span()) })
    }

    /// The file as a table. It was parsed once without an error; values of it borrow from its text.
    pub(crate) fn table(&self) -> DeTable<'_> {
        let text = self.source.as_ref().map_or("", |source| source.text());
        DeTable::parse(text).map(Spanned::into_inner).unwrap_or_default()
    }

    /// What the file says in a section, the default where it says nothing.
    pub fn section<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T, Vec<Diagnostic>> {
        let (Some(source), Some(value)) = (&self.source, self.table().remove(name)) else {
            return Ok(T::default());
        };
        T::deserialize(ValueDeserializer::from(value))
            .map_err(|error| vec![unusable(source, error.span(), error.message())])
    }
}

fn unusable(source: &Arc<Source>, span: Option<std::ops::Range<usize>>, why: &str) -> Diagnostic {
    let span = Span::new(span.unwrap_or(0..0));
    Diagnostic::error(UNUSABLE, format!("configuration cannot be used: {why}"))
        .at(Location { source: source.clone(), span }, "")
        .help(HELP)
}

struct Check<'a> {
    source: &'a Arc<Source>,
    diagnostics: Vec<Diagnostic>,
}

impl Check<'_> {
    fn wrong<T>(&mut self, at: &Spanned<T>, why: &str) {
        self.diagnostics.push(unusable(self.source, Some(at.span()), why));
    }

    fn sections(&mut self, table: &DeTable<'_>, sections: &[Section]) {
        for (name, value) in table {
            if let Some(section) = sections.iter().find(|section| section.name == name.get_ref()) {
                self.value(section.name, section.kind, value);
            } else {
                let why = format!("there is no section `{}`", name.get_ref());
                self.unknown(name, &why, sections.iter().map(|section| section.name));
            }
        }
    }

    fn unknown<'n, T: AsRef<str>>(&mut self, name: &Spanned<T>, why: &str, known: impl Iterator<Item = &'n str>) {
        let near = nearest(name.get_ref().as_ref(), known);
        self.wrong(name, why);
        if let (Some(near), Some(wrong)) = (near, self.diagnostics.last_mut()) {
            wrong.help.insert(0, format!("did you mean `{near}`?"));
        }
    }

    fn value(&mut self, path: &str, kind: Kind, value: &Spanned<DeValue<'_>>) {
        match (kind, value.get_ref()) {
            (Kind::Table(known), DeValue::Table(table)) => self.table(path, known, value, table),
            (Kind::Map(_, kind), DeValue::Table(table)) => {
                table.iter().for_each(|(name, value)| self.value(&format!("{path}.{}", name.get_ref()), *kind, value));
            }
            (Kind::List(kind), DeValue::Array(items)) => {
                items.iter().for_each(|item| self.value(path, *kind, item));
            }
            (kind, found) if fits(kind, found) => {}
            (kind, found) => {
                let found = found.as_str().map_or_else(|| found.type_str().to_owned(), |text| format!("`{text}`"));
                let why = format!("`{path}` has the value {found}, expected: {}", kind.described());
                self.wrong(value, &why);
            }
        }
    }

    fn table(&mut self, path: &str, known: &Table, at: &Spanned<DeValue<'_>>, table: &DeTable<'_>) {
        let keys: Vec<_> = known.keys.iter().map(|key| (key.name(), key)).collect();
        for (name, value) in table {
            if let Some((key, declared)) = keys.iter().find(|(key, _)| key == name.get_ref()) {
                self.value(&format!("{path}.{key}"), declared.kind, value);
            } else {
                let why = format!("`{path}` has no key `{}`", name.get_ref());
                self.unknown(name, &why, keys.iter().map(|(key, _)| &**key));
            }
        }
        for (key, _) in keys.iter().filter(|(key, declared)| declared.required && !table.contains_key(&**key)) {
            self.wrong(at, &format!("`{path}` needs the key `{key}`"));
        }
    }
}

/// Whether a value that holds no further keys is of this kind; its text is for the owner of the section to read.
fn fits(kind: Kind, value: &DeValue<'_>) -> bool {
    match kind {
        Kind::Flag => value.is_bool(),
        Kind::Integer(_) => value.is_integer(),
        Kind::Number => value.is_integer() || value.is_float(),
        Kind::Text(_) => value.is_str(),
        Kind::Word(words) => {
            value.as_str().is_some_and(|word| words.iter().any(|known| known.eq_ignore_ascii_case(word)))
        }
        Kind::Either(kinds) => kinds.iter().any(|kind| fits(*kind, value)),
        Kind::List(_) => value.is_array(),
        Kind::Map(..) | Kind::Table(_) => value.is_table(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{choice, section};

    choice! {
        /// How much.
        enum Amount {
            /// A little.
            Little = "little",
            /// Much.
            Much = "very-much",
        }
    }

    section! {
        /// A thing.
        #[derive(Debug)]
        struct Thing("thing") {
            /// How long
            /// it takes.
            #[serde(deserialize_with = "crate::duration")]
            how_long: std::time::Duration = std::time::Duration::from_secs(3);
            /// How much.
            amount: Amount = Amount::Much;
            /// Parts.
            parts: Vec<Part> = Vec::new();
        }
    }

    section! {
        /// A part.
        #[derive(Debug)]
        struct Part {
            /// Its name.
            name: String;
            /// Its size.
            #[serde(default)]
            size: u32 = 0;
        }
    }

    fn parse(text: &str) -> Result<Document, Vec<String>> {
        Document::parse(&Source::new("p.toml", text), &[Thing::SECTION]).map_err(|wrong| {
            let told = wrong.iter().map(|wrong| {
                let near: String =
                    wrong.help.iter().filter(|help| help.contains('?')).map(|help| [": ", help].concat()).collect();
                format!("{wrong}{near}")
                    .replace("error[PAL-P0002]: configuration cannot be used: ", "")
                    .replace("p.toml:", "")
            });
            told.collect()
        })
    }

    #[test]
    fn a_section_is_taken_with_its_defaults() {
        let thing: Thing = Document::default().section("thing").unwrap();
        assert_eq!((thing.how_long.as_secs(), thing.amount, thing.parts.len()), (3, Amount::Much, 0));
        let text = "[thing]\nhow-long = '1m'\namount = 'little'\n[[thing.parts]]\nname = 'a'\n";
        let thing: Thing = parse(text).unwrap().section("thing").unwrap();
        assert_eq!((thing.how_long.as_secs(), thing.amount), (60, Amount::Little));
        assert_eq!((&*thing.parts[0].name, thing.parts[0].size), ("a", 0));
        let wrong = parse("[thing]\nhow-long = 'soon'\n").unwrap().section::<Thing>("thing").unwrap_err();
        assert!(wrong[0].to_string().starts_with("p.toml:2:12: error[PAL-P0002]"), "{}", wrong[0]);
    }

    #[test]
    fn every_mistake_is_told_with_what_was_probably_meant() {
        let text = "[thing]\nhow-lon = '1s'\namount = 'all'\nparts = [{ nam = 'a' }]\n[thin]\n[other]\n";
        let expected = [
            "2:1: `thing` has no key `how-lon`: did you mean `how-long`?",
            "3:10: `thing.amount` has the value `all`, expected: `\"little\"`, `\"very-much\"`",
            "4:10: `thing.parts` needs the key `name`",
            "4:12: `thing.parts` has no key `nam`: did you mean `name`?",
            "5:2: there is no section `thin`: did you mean `thing`?",
            "6:2: there is no section `other`",
        ];
        assert_eq!(parse(text).unwrap_err(), expected);
        assert_eq!(parse("[thing\n").unwrap_err().len(), 1);
    }
}
