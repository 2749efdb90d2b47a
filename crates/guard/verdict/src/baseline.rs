//! Baselines: the findings that were there before the rules were, and do not fail a run.
//!
//! A baseline holds an entry per offending field, by fingerprint and file. Entries are counted: as often as one was
//! recorded it may occur, in its own file or, when that file is gone, in another. So moved lines, reordered documents and
//! renamed files change nothing, and a copy of an old mistake is new. Version 1 knew a violation by the place that its rule
//! named, which may be a list: such entries still cover what is in it, and that is told, until the baseline is written
//! anew. Deliberately absent: reading and writing files.

use std::collections::{BTreeMap, HashMap};

use palisade_model::{Diagnostic, Fingerprint, Map, Part, Path, Resource, Str, Value};

use crate::codes;

/// The version of the file format.
const SCHEMA_VERSION: &str = "2";
/// The version whose entries may be about more than one element.
const FORMER_VERSION: &str = "1";

/// A known violation in one field, in the order in which they are written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The file, relative to the configuration's folder.
    pub file: Str,
    /// The object, as `Kind namespace/name`.
    pub resource: Str,
    /// The rule, as `policy/rule`.
    pub rule: Str,
    /// The field, list elements by name.
    pub path: Str,
    /// Its identity.
    pub fingerprint: Fingerprint,
    /// How often it occurs.
    pub count: usize,
    /// Whether version 1 wrote it, which knew a violation by the place that its rule named.
    pub former: bool,
}

/// A finding as baselines see it.
#[derive(Clone, Debug)]
pub struct Occurrence<'a> {
    /// The file, relative to the configuration's folder.
    pub file: Str,
    /// The object, as `Kind namespace/name`.
    pub resource: Str,
    /// The rule, as `policy/rule`.
    pub rule: Str,
    /// Every offending field.
    pub parts: &'a [Part],
}

impl Occurrence<'_> {
    fn entries(&self) -> impl Iterator<Item = Entry> {
        self.parts.iter().map(|part| self.entry(part))
    }

    fn entry(&self, part: &Part) -> Entry {
        Entry {
            file: self.file.clone(),
            resource: self.resource.clone(),
            rule: self.rule.clone(),
            path: part.path.clone(),
            fingerprint: part.fingerprint,
            count: 1,
            former: false,
        }
    }
}

/// What a run knows of the file of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileState {
    /// It was judged.
    Judged,
    /// It does not exist any more.
    Gone,
    /// It exists and was not part of the run, so nothing is known of it.
    NotJudged,
}

/// What became of a baseline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// For each finding, which of its fields the baseline does not have, counted from 0.
    pub fresh: Vec<Vec<usize>>,
    /// What no longer occurs, and how often.
    pub fixed: Vec<Entry>,
    /// What is left of the baseline without it.
    pub shrunk: Baseline,
    /// How many fields are known only because an entry of version 1 is about everything around them.
    pub vague: usize,
}

/// Known violations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: Vec<Entry>,
}

impl FromIterator<Entry> for Baseline {
    /// Entries that are the same but for their number are added up.
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut counts: BTreeMap<Entry, usize> = BTreeMap::new();
        for entry in entries {
            let count = entry.count;
            let total = counts.entry(Entry { count: 0, ..entry }).or_default();
            *total = total.saturating_add(count);
        }
        Self { entries: counts.into_iter().map(|(entry, count)| Entry { count, ..entry }).collect() }
    }
}

impl Comparison {
    /// For each finding, whether the baseline has it in every field.
    #[cfg(test)]
    fn known(&self) -> Vec<bool> {
        self.fresh.iter().map(Vec::is_empty).collect()
    }
}

impl Baseline {
    /// How many violations it has.
    pub fn len(&self) -> usize {
        self.entries.iter().fold(0, |sum, entry| sum.saturating_add(entry.count))
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The baseline of `found`, with what `old` says of files that were not judged.
    pub fn of(found: &[Occurrence<'_>], old: &Self, state: &dyn Fn(&Entry) -> FileState) -> Self {
        let kept = old.entries.iter().filter(|entry| state(entry) == FileState::NotJudged).cloned();
        kept.chain(found.iter().flat_map(Occurrence::entries)).collect()
    }

    /// Reads the document of a baseline file. Duplicates are reported and count once.
    pub fn read(document: &Resource) -> Result<(Self, Vec<Diagnostic>), Diagnostic> {
        let object = &document.object;
        let fail = |pointer: &str, message: String| at(document, pointer, Diagnostic::error(codes::BASELINE, message));
        match object.get("schema_version").map(Value::as_str) {
            Some(Some(SCHEMA_VERSION | FORMER_VERSION)) => {}
            Some(Some(other)) => {
                let message = format!(
                    "version `{other}` of the baseline format is not known; this program writes `{SCHEMA_VERSION}`"
                );
                return Err(fail("/schema_version", message));
            }
            _ => return Err(fail("", "this file is no baseline: it has no `schema_version`".to_owned())),
        }
        let former = object.get("schema_version").and_then(Value::as_str) == Some(FORMER_VERSION);
        let Some(items) = object.get("findings").and_then(Value::as_array) else {
            return Err(fail("", "this file is no baseline: it has no list of `findings`".to_owned()));
        };
        let mut seen: HashMap<(Fingerprint, Str), usize> = HashMap::new();
        let (mut entries, mut diagnostics): (Vec<Entry>, _) = (Vec::new(), Vec::new());
        for (index, item) in items.iter().enumerate() {
            let pointer = format!("/findings/{index}");
            let entry = read_entry(item, former).map_err(|message| fail(&pointer, message))?;
            if let Some(first) = seen.get(&(entry.fingerprint, entry.file.clone())) {
                let message = format!("`{}` of `{}` stands twice in the baseline", entry.fingerprint, entry.file);
                diagnostics.push(at(document, &pointer, Diagnostic::warning(codes::BASELINE, message)));
                if let Some(first) = entries.get_mut(*first) {
                    first.count = first.count.max(entry.count);
                }
                continue;
            }
            seen.insert((entry.fingerprint, entry.file.clone()), entries.len());
            entries.push(entry);
        }
        Ok((Self { entries }, diagnostics))
    }

    /// JSON with a line per entry, sorted, so that changes are easy to review.
    pub fn to_json(&self) -> String {
        let lines: Vec<_> = self.entries.iter().map(|entry| write_entry(entry).to_json()).collect();
        let body = if lines.is_empty() { String::new() } else { format!("\n{}\n", lines.join(",\n")) };
        format!("{{\"schema_version\": \"{SCHEMA_VERSION}\",\n\"findings\": [{body}]}}\n")
    }

    /// Which of `found` are known, and what is known but no longer found.
    pub fn compare(&self, found: &[Occurrence<'_>], state: &dyn Fn(&Entry) -> FileState) -> Comparison {
        let mut budget = Budget::new(self, state);
        let wholly: Vec<bool> = found.iter().map(|finding| budget.take_all(finding)).collect();
        let (mut kept, mut fresh) = (Vec::new(), Vec::with_capacity(found.len()));
        for (finding, wholly) in found.iter().zip(wholly) {
            if wholly {
                kept.extend(finding.entries());
                fresh.push(Vec::new());
                continue;
            }
            let mut new = Vec::new();
            for (index, part) in finding.parts.iter().enumerate() {
                match budget.take(part, &finding.file).or_else(|| budget.take_from_elsewhere(part)) {
                    Some(_) => kept.push(finding.entry(part)),
                    None => new.push(index),
                }
            }
            fresh.push(new);
        }
        let (not_judged, left): (Vec<_>, Vec<_>) =
            budget.left().partition(|entry| state(entry) == FileState::NotJudged);
        let vague = budget.vague;
        Comparison { fresh, fixed: left, shrunk: kept.into_iter().chain(not_judged).collect(), vague }
    }
}

/// How often each entry may still occur.
struct Budget<'a> {
    entries: &'a [Entry],
    left: Vec<usize>,
    here: HashMap<(Fingerprint, &'a str), usize>,
    /// Entries whose file is gone: they follow the object to another file.
    elsewhere: HashMap<Fingerprint, Vec<usize>>,
    vague: usize,
}

impl<'a> Budget<'a> {
    fn new(baseline: &'a Baseline, state: &dyn Fn(&Entry) -> FileState) -> Self {
        let (mut here, mut elsewhere) = (HashMap::new(), HashMap::<_, Vec<usize>>::new());
        for (index, entry) in baseline.entries.iter().enumerate() {
            here.insert((entry.fingerprint, &*entry.file), index);
            if state(entry) == FileState::Gone {
                elsewhere.entry(entry.fingerprint).or_default().push(index);
            }
        }
        let left = baseline.entries.iter().map(|entry| entry.count).collect();
        Self { entries: &baseline.entries, left, here, elsewhere, vague: 0 }
    }

    /// Takes every part of a finding from the entries of its own file, or none.
    fn take_all(&mut self, finding: &Occurrence<'_>) -> bool {
        let (vague, mut taken) = (self.vague, Vec::with_capacity(finding.parts.len()));
        for part in finding.parts {
            let Some(before) = self.take(part, &finding.file) else {
                for (index, before) in taken.into_iter().rev() {
                    self.left.get_mut(index).into_iter().for_each(|left| *left = before);
                }
                self.vague = vague;
                return false;
            };
            taken.push(before);
        }
        true
    }

    /// Takes an entry of the part's own file, and says which, and how often it might have been taken before.
    fn take(&mut self, part: &Part, file: &str) -> Option<(usize, usize)> {
        let found = names(part).find_map(|name| {
            let index = self.here.get(&(name, file)).copied()?;
            self.covers(index, part, name).then_some((index, name))
        });
        self.take_one(found?, part)
    }

    /// Takes an entry of a file that is gone.
    fn take_from_elsewhere(&mut self, part: &Part) -> Option<(usize, usize)> {
        let found = names(part).find_map(|name| {
            let mut indices = self.elsewhere.get(&name).into_iter().flatten().copied();
            indices.find(|index| self.covers(*index, part, name)).map(|index| (index, name))
        });
        self.take_one(found?, part)
    }

    /// Whether an entry that goes by one of the part's names may be taken: as often as it occurred, but for entries of
    /// version 1 about something around the part, which said nothing of how much is in it.
    fn covers(&self, index: usize, part: &Part, name: Fingerprint) -> bool {
        let Some(entry) = self.entries.get(index) else { return false };
        let left = self.left.get(index).is_some_and(|left| *left > 0);
        (left && (entry.former || name == part.fingerprint)) || is_around(entry, part, name)
    }

    fn take_one(&mut self, (index, name): (usize, Fingerprint), part: &Part) -> Option<(usize, usize)> {
        let (left, entry) = self.left.get_mut(index).zip(self.entries.get(index))?;
        let before = *left;
        if is_around(entry, part, name) {
            self.vague += 1;
            *left = 0;
        } else {
            *left = left.saturating_sub(1);
        }
        Some((index, before))
    }

    /// What has not been taken.
    fn left(&self) -> impl Iterator<Item = Entry> {
        let entries = self.entries.iter().zip(&self.left).filter(|(_, left)| **left > 0);
        entries.map(|(entry, left)| Entry { count: *left, ..entry.clone() })
    }
}

/// What an entry for the part may be called, the exact name first.
fn names(part: &Part) -> impl Iterator<Item = Fingerprint> {
    std::iter::once(part.fingerprint).chain(part.formerly.iter().copied())
}

/// Whether an entry of version 1 that goes by one of the part's names is about something that the part is in.
fn is_around(entry: &Entry, part: &Part, name: Fingerprint) -> bool {
    entry.former && name != part.fingerprint && entry.path != part.path
}

fn at(document: &Resource, pointer: &str, diagnostic: Diagnostic) -> Diagnostic {
    let help = "write it anew with --write-baseline, or restore it from version control";
    match document.locate(&Path::from_pointer(pointer)) {
        Some(location) => diagnostic.at(location, "").help(help),
        None => diagnostic.help(help),
    }
}

fn read_entry(item: &Value, former: bool) -> Result<Entry, String> {
    let text = |key: &str| item.get(key).and_then(Value::as_shared_str).cloned().unwrap_or_default();
    let fingerprint = item.get("fingerprint").and_then(Value::as_str).ok_or("this entry has no `fingerprint`")?;
    let count = match item.get("count") {
        None => 1,
        Some(count) => {
            let count = count.as_i64().and_then(|count| usize::try_from(count).ok()).filter(|count| *count > 0);
            count.ok_or("`count` must be a whole number above 0")?
        }
    };
    Ok(Entry {
        file: text("file"),
        resource: text("resource"),
        rule: text("rule"),
        path: text("path"),
        fingerprint: fingerprint.parse()?,
        count,
        former: former || item.get("version").and_then(Value::as_str) == Some(FORMER_VERSION),
    })
}

fn write_entry(entry: &Entry) -> Value {
    let text = |text: &Str| Value::String(text.clone());
    let mut members: Vec<(Str, Value)> = vec![
        ("file".into(), text(&entry.file)),
        ("resource".into(), text(&entry.resource)),
        ("rule".into(), text(&entry.rule)),
        ("path".into(), text(&entry.path)),
        ("fingerprint".into(), entry.fingerprint.to_string().into()),
    ];
    if entry.count > 1 {
        members.push(("count".into(), Value::Int(i64::try_from(entry.count).unwrap_or(i64::MAX))));
    }
    if entry.former {
        members.push(("version".into(), FORMER_VERSION.into()));
    }
    Value::object(members.into_iter().collect::<Map>())
}

#[cfg(test)]
mod tests;
