//! `+()` below an element that anchors select, outside of loops: upstream decides it once for all that are selected.
//!
//! Here every element is decided by itself, which is what everybody means; the policy does something else in a cluster with
//! Kyverno, so loading it says so. Absent: loops, where one element is selected at a time.

use palisade_model::{Diagnostic, Path, Value};

use crate::legacy::codes;
use crate::legacy::pattern::{Anchor, AnchorKind};
use crate::legacy::spec::Reader;

/// Warns of every such key of a strategic merge patch.
pub(super) fn shared(reader: &mut Reader<'_>, patch: &Value, path: &Path) {
    match patch {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let path = path.child(at);
                match selects_several(item) {
                    Some(condition) => below(reader, item, &path, &condition),
                    None => shared(reader, item, &path),
                }
            }
        }
        Value::Object(members) => {
            for (key, value) in members.iter() {
                shared(reader, value, &path.child(&**key));
            }
        }
        _ => {}
    }
}

/// The condition of an element that more than one element of the resource can satisfy.
fn selects_several(element: &Value) -> Option<String> {
    element.as_object()?.iter().find_map(|(key, value)| {
        let condition = Anchor::parse(key).is_some_and(|anchor| anchor.kind == AnchorKind::Condition);
        let one = value.as_str().is_some_and(|text| !text.contains(['*', '?', '|', '&', '!', '<', '>']));
        (condition && !(one && &**key == "(name)")).then(|| match value {
            Value::Array(_) | Value::Object(_) => key.to_string(),
            value => format!("{key}: {}", value.to_json()),
        })
    })
}

fn below(reader: &mut Reader<'_>, node: &Value, path: &Path, condition: &str) {
    match node {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| below(reader, item, &path.child(at), condition));
        }
        Value::Object(members) => {
            for (key, value) in members.iter() {
                let path = path.child(&**key);
                if Anchor::parse(key).is_some_and(|anchor| anchor.kind == AnchorKind::AddIfAbsent) {
                    let message = format!(
                        "`{key}` below `{condition}`: Kyverno asks only the first element that is selected whether the key \
                         is absent, and then overwrites it in the others; here every element is asked"
                    );
                    let help = "select one element at a time in a `foreach`, with `name: \"{{ element.name }}\"`; that does \
                                the same everywhere";
                    reader.report_at(&path, Diagnostic::warning(codes::SHARED_ADDITION, message).help(help));
                }
                below(reader, value, &path, condition);
            }
        }
        _ => {}
    }
}
