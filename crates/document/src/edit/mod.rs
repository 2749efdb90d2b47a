//! Changes a document in its text: comments, order and style of everything untouched stay as they are.
//!
//! The difference between the old value and the wanted one becomes replacements of text ([`plan`]), smallest first:
//! a scalar in place, a member or item inserted or deleted, a node written anew. The edited text is then read back; where
//! it does not say what was wanted, the edit is an error and the file stays. So an edit is never silently wrong, and never
//! takes comments and style with it. Absent: showing the difference to a person, and writing documents anew as a whole.

use std::sync::Arc;

use palisade_model::{Path, Segment, Source, SpanTree, Value};

use crate::decode::has_extension;
use crate::document::{Document, Limits, Parsed};
use crate::{parse_json, parse_yaml};
use plan::{Edit, Place, Plan};
use text::Text;

mod align;
mod plan;
#[cfg(test)]
mod property;
#[cfg(test)]
mod tests;
mod text;

/// Why a document could not be edited.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// A document does not belong to the source that is edited.
    #[error("editing `{name}`: the document at index {index} is not part of this file as it is now")]
    Unknown {
        /// The file.
        name: String,
        /// The document's index.
        index: usize,
    },
    /// The edited text would not read back as the wanted value.
    #[error("editing `{name}`: no edited text reads back as the wanted documents; change the file by hand")]
    Mismatch {
        /// The file.
        name: String,
    },
}

/// The text of the whole source with `document` changed to `new`.
pub fn apply(document: &Document, new: &Value) -> Result<String, EditError> {
    apply_all(&document.source, &[(document.clone(), new.clone())])
}

/// The text of `source` with several of its documents changed, each to the value beside it. A document may also be an
/// item of a list, as [`expand_lists`](crate::expand_lists) gives it.
pub fn apply_all(source: &Arc<Source>, changes: &[(Document, Value)]) -> Result<String, EditError> {
    let (original, json) = read(source);
    let mut wanted: Vec<Value> = original.documents.iter().map(|document| document.value.clone()).collect();
    for (change, new) in changes {
        set(&original, &mut wanted, change, new)
            .ok_or_else(|| EditError::Unknown { name: source.name().to_owned(), index: change.index })?;
    }
    let text = in_place(source, changes, json).filter(|text| reads_as(source, text, &wanted));
    text.ok_or_else(|| EditError::Mismatch { name: source.name().to_owned() })
}

/// The documents of a source, and whether it was read as JSON.
fn read(source: &Arc<Source>) -> (Parsed, bool) {
    let limits = Limits::default();
    let begins_as_json = source.text().trim_start().starts_with(['{', '[']);
    if has_extension(source.name(), "json") || begins_as_json {
        let parsed = parse_json(source.clone(), &limits);
        if !parsed.documents.is_empty() && parsed.diagnostics.is_empty() {
            return (parsed, true);
        }
    }
    (parse_yaml(source.clone(), &limits), false)
}

fn reads_as(source: &Arc<Source>, text: &str, wanted: &[Value]) -> bool {
    let (parsed, _) = read(&Source::new(source.name(), text));
    // A document that became null is dropped by the reader.
    let wanted = wanted.iter().filter(|value| !value.is_null());
    parsed.documents.iter().map(|document| &document.value).eq(wanted)
}

/// Puts a changed document, or item of a list, into the values that are wanted.
fn set(original: &Parsed, wanted: &mut [Value], change: &Document, new: &Value) -> Option<()> {
    let at = original.documents.iter().position(|document| document.index == change.index)?;
    let document = original.documents.get(at)?;
    let path = find(&document.value, &document.spans, change)?;
    let slot = path.0.iter().try_fold(wanted.get_mut(at)?, |value, segment| match segment {
        Segment::Key(key) => value.as_object_mut()?.get_mut(key),
        Segment::Index(index) => value.as_array_mut()?.get_mut(*index),
    })?;
    *slot = new.clone();
    Some(())
}

/// The way from a document to the node that `change` is about.
fn find(value: &Value, tree: &SpanTree, change: &Document) -> Option<Path> {
    if tree.span == change.spans.span && *value == change.value {
        return Some(Path::root());
    }
    let (items, at) = match value {
        Value::Object(map) => (map.get("items")?, map.position("items")?),
        _ => return None,
    };
    let children = &tree.children.get(at)?.tree.children;
    let (index, inner) = items
        .as_array()?
        .iter()
        .zip(children)
        .enumerate()
        .find_map(|(index, (item, child))| find(item, &child.tree, change).map(|path| (index, path)))?;
    let mut segments = vec![Segment::from("items"), Segment::Index(index)];
    segments.extend(inner.0);
    Some(Path(segments))
}

fn in_place(source: &Arc<Source>, changes: &[(Document, Value)], json: bool) -> Option<String> {
    let text = Text::new(source.text());
    let mut edits = Vec::new();
    for (document, new) in changes {
        let layout = text.layout(&document.value, &document.spans);
        let mut plan = Plan { text, layout, json, edits: Vec::new() };
        plan.node(&document.value, &document.spans, new, Place::Root, json)?;
        edits.append(&mut plan.edits);
    }
    splice(source.text(), edits)
}

/// Applies replacements that do not overlap; those at one place keep their order.
fn splice(text: &str, mut edits: Vec<Edit>) -> Option<String> {
    leave_deleted_lines(text, &mut edits);
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let carriage = text.split('\n').next().is_some_and(|line| line.ends_with('\r'));
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    let mut lines = false;
    for edit in edits {
        out.push_str(text.get(done..edit.range.start)?);
        if carriage {
            out.push_str(&edit.text.replace('\n', "\r\n"));
        } else {
            out.push_str(&edit.text);
        }
        done = edit.range.end;
        lines = edit.text.contains('\n');
    }
    let rest = text.get(done..)?;
    out.push_str(rest);
    // Several lines were written up to the end of a text that does not end in a line break.
    if rest.is_empty() && lines {
        out.push('\n');
    }
    Some(out)
}

/// Moves what is inserted at the end of lines that are deleted to the end of the line before them.
fn leave_deleted_lines(text: &str, edits: &mut [Edit]) {
    let deleted: Vec<_> = edits
        .iter()
        .filter(|edit| {
            edit.text.is_empty()
                && !edit.range.is_empty()
                && text.get(..edit.range.start).is_some_and(|before| before.ends_with('\n'))
        })
        .map(|edit| edit.range.clone())
        .collect();
    for edit in edits.iter_mut().filter(|edit| edit.range.is_empty()) {
        let mut at = edit.range.start;
        while let Some(lines) = deleted.iter().find(|lines| lines.start < at && at < lines.end) {
            let before = text.get(..lines.start).unwrap_or_default();
            at = before.strip_suffix("\r\n").or(before.strip_suffix('\n')).unwrap_or(before).len();
        }
        edit.range = at..at;
    }
}
