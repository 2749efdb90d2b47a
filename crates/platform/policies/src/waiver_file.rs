//! The waiver file, `.palisade/waivers.yaml` beside `palisade.toml`.
//!
//! A file of its own, because who may grant waivers often is not who may edit the configuration: a line in `CODEOWNERS`
//! settles it. An entry that is not understood is an error and does not apply; nothing in it is guessed.

use std::path::Path as FilePath;
use std::sync::Arc;

use palisade_model::{Diagnostic, Path, Resource, Str, Value};
use palisade_verdict::codes;
use palisade_verdict::glob::Glob;
use palisade_verdict::selection::Selector;
use palisade_verdict::waiver::{Entry, Terms, Waivers};

const KEYS: [&str; 9] =
    ["policies", "kinds", "namespaces", "names", "paths", "fingerprint", "reason", "owner", "expires"];

/// Reads a waiver file.
pub fn read(file: &FilePath) -> (Waivers, Vec<Diagnostic>) {
    let parsed = palisade_intake::read(file);
    let mut diagnostics = parsed.diagnostics;
    let mut entries = Vec::new();
    for document in parsed.documents {
        let resource = document.into_resource();
        for entry in document_entries(&resource) {
            match entry {
                Ok(entry) => entries.push(entry),
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
    }
    (Waivers::new(entries), diagnostics)
}

fn document_entries(document: &Resource) -> Vec<Result<Entry, Diagnostic>> {
    let stray = document.object.as_object().and_then(|map| map.keys().find(|key| &***key != "waivers"));
    if let Some(key) = stray {
        let path: Path = [&**key].into_iter().collect();
        return vec![Err(refuse(document, &path, &format!("`{key}` is unknown: expected `waivers`")))];
    }
    let Some(items) = document.object.get("waivers").and_then(Value::as_array) else {
        return vec![Err(refuse(document, &Path::root(), "the file holds no list of `waivers`"))];
    };
    let list: Path = ["waivers"].into_iter().collect();
    let entry = |(index, item): (usize, &Value)| {
        let path = list.child(index);
        self::entry(document, item, &path).map_err(|(key, why)| {
            let path = if key.is_empty() { path.clone() } else { path.child(key) };
            refuse(document, &path, &why)
        })
    };
    items.iter().enumerate().map(entry).collect()
}

/// An entry, or the key that is wrong and why.
fn entry(document: &Resource, item: &Value, path: &Path) -> Result<Entry, (&'static str, String)> {
    let map = item.as_object().ok_or(("", "expected an entry with policies, reason, owner and expires".to_owned()))?;
    if let Some(key) = map.keys().find(|key| !KEYS.contains(&&***key)) {
        return Err(("", format!("`{key}` is unknown: expected one of {}", KEYS.join(", "))));
    }
    let paths = texts(item, "paths")?;
    let selector = Selector {
        policies: texts(item, "policies")?,
        kinds: texts(item, "kinds")?,
        namespaces: texts(item, "namespaces")?,
        names: texts(item, "names")?,
        paths: paths.iter().map(|path| Glob::from(&**path)).collect(),
        fingerprint: match text(item, "fingerprint")? {
            Some(text) => Some(text.parse().map_err(|why| ("fingerprint", why))?),
            None => None,
        },
    };
    if selector.policies.is_empty() && selector.fingerprint.is_none() {
        return Err(("", "it names no policies and no fingerprint".to_owned()));
    }
    let (reason, owner, expires) = (text(item, "reason")?, text(item, "owner")?, text(item, "expires")?);
    let terms = Terms { policies: Vec::new(), reason, owner, expires };
    let (waiver, last_day) = terms.grant(document.locate(path), false).map_err(|why| ("", why))?;
    Ok(Entry { selector, waiver: Arc::new(waiver), last_day })
}

fn text(item: &Value, key: &'static str) -> Result<Option<Str>, (&'static str, String)> {
    match item.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err((key, format!("expected a text, not a {}", other.type_name()))),
    }
}

/// A list of texts. An empty list would mean "any" and is refused, because somebody meant to name something.
fn texts(item: &Value, key: &'static str) -> Result<Vec<Str>, (&'static str, String)> {
    let wrong = || (key, "expected a list of texts with at least one".to_owned());
    let Some(value) = item.get(key) else { return Ok(Vec::new()) };
    let items = value.as_array().filter(|items| !items.is_empty()).ok_or_else(wrong)?;
    let text = |item: &Value| item.as_shared_str().filter(|text| !text.is_empty()).cloned().ok_or_else(wrong);
    items.iter().map(text).collect()
}

fn refuse(document: &Resource, path: &Path, why: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error(codes::WAIVER, format!("this waiver does not apply: {why}"));
    match document.locate(path) {
        Some(location) => diagnostic.at(location, ""),
        None => diagnostic,
    }
    .help("a waiver has policies, reason, owner and expires; `palisade explain PAL-P0010` shows one")
}
