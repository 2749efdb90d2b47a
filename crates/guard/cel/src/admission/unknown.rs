//! Values that another tool fills in before an API server sees them: `${VAR}` of Flux, `{{ }}` of templates, `ENC[` of SOPS,
//! images that an injector or a builder names.
//!
//! What they will be is not known, so that an expression which does not hold because of one is no violation. Where a
//! default is written (`${VAR:=no}`), that is what counts. Elements of a list that hold such a value are left out; an
//! expression that others break is broken. Asked after a failure only, and only where files are judged.

use palisade_model::{Path, Segment, Str, Value};

use super::evaluation::Evaluation;
use super::expression::Expression;
use super::fields::{Looks, json_object};
use crate::{Budget, Scope, Val};

/// What an expression that did not hold comes to.
#[derive(Debug)]
pub(super) enum Settled {
    /// It does not hold, whatever is filled in.
    Stands,
    /// It holds with the defaults that are written.
    Holds,
    /// Nobody can say before the value at this place is filled in.
    Unknown(Path),
}

/// What is known of a value that is filled in later.
#[derive(Debug, PartialEq)]
enum Filled {
    Later,
    With(Value),
}

/// What becomes of an expression that did not hold or could not be evaluated, by the values that it looks at.
pub(super) fn settle(expression: &Expression, looks: &Looks, evaluation: &Evaluation<'_>) -> Settled {
    let object = json_object(evaluation.variable("object", &mut Budget::default()));
    let Some(mut object) = object else { return Settled::Stands };
    let looked_at = looks.values(&object);
    let filled = looked_at.into_iter().filter_map(|(path, value)| Some((filled(&path, value.as_str()?)?, path)));
    let filled: Vec<(Filled, Path)> = filled.collect();
    let value_of = |object: &Value| {
        let subject = evaluation.subject_about(object);
        let evaluation = evaluation.about(&subject);
        expression.evaluate(&evaluation).ok().as_ref().and_then(Val::as_bool)
    };
    let mut later = Vec::new();
    let mut any_default = false;
    for (filled, path) in filled {
        match filled {
            Filled::With(value) => any_default |= replace(&mut object, &path, value),
            Filled::Later => later.push(path),
        }
    }
    if any_default && value_of(&object) == Some(true) {
        return Settled::Holds;
    }
    let Some(first) = later.first().cloned() else { return Settled::Stands };
    let mut elements: Vec<Path> = Vec::new();
    for path in &later {
        let Some(at) = path.0.iter().rposition(|segment| matches!(segment, Segment::Index(_))) else {
            return Settled::Unknown(path.clone());
        };
        elements.push(Path(path.0.iter().take(at + 1).cloned().collect()));
    }
    // From behind, so that what is still to go keeps its place.
    elements.sort_by(|a, b| b.0.cmp(&a.0));
    elements.dedup();
    for element in &elements {
        remove(&mut object, element);
    }
    if value_of(&object) == Some(false) { Settled::Stands } else { Settled::Unknown(first) }
}

/// What `text` at `path` stands for; none where it is what it says.
fn filled(path: &Path, text: &str) -> Option<Filled> {
    let text = text.trim();
    let inner = |open: &str, close: &str| {
        let inner = text.strip_prefix(open)?.strip_suffix(close)?;
        (!inner.is_empty() && !inner.contains(close)).then_some(inner)
    };
    if let Some(inner) = inner("${", "}") {
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.')).unwrap_or(inner.len());
        let default = inner.get(end..).unwrap_or_default();
        let default = [":=", ":-", "=", "-"].iter().find_map(|sign| default.strip_prefix(sign));
        return Some(default.map_or(Filled::Later, |default| Filled::With(scalar(default))));
    }
    let named = |inner: Option<&str>| inner.is_some_and(is_name);
    let whole = inner("{{", "}}").is_some()
        || inner("ENC[", "]").is_some()
        || inner("<", ">").is_some()
        || inner("((", "))").is_some()
        || inner("#{", "}#").is_some()
        || named(inner("$(", ")"))
        || named(inner("__", "__"))
        || text.strip_prefix('$').is_some_and(|name| is_name(name) && !name.contains(|c: char| c.is_ascii_lowercase()));
    let image = matches!(path.0.last(), Some(Segment::Key(key)) if &**key == "image")
        && (text == "auto" || text.starts_with("ko://") || ["${", "{{", "$("].iter().any(|mark| text.contains(mark)));
    (whole || image).then_some(Filled::Later)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
}

/// A default as it is read once it stands in the manifest.
fn scalar(text: &str) -> Value {
    let text = text.trim().trim_matches('"');
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => text.parse().map_or_else(|_| Value::String(Str::from(text)), Value::Int),
    }
}

fn at<'o>(object: &'o mut Value, path: &[Segment]) -> Option<&'o mut Value> {
    path.iter().try_fold(object, |value, segment| match segment {
        Segment::Key(key) => value.as_object_mut()?.get_mut(key),
        Segment::Index(index) => value.as_array_mut()?.get_mut(*index),
    })
}

fn replace(object: &mut Value, path: &Path, with: Value) -> bool {
    at(object, &path.0).map(|value| *value = with).is_some()
}

fn remove(object: &mut Value, element: &Path) {
    if let Some((Segment::Index(index), list)) = element.0.split_last()
        && let Some(items) = at(object, list).and_then(Value::as_array_mut)
        && *index < items.len()
    {
        items.remove(*index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_values() {
        let said = |key: &str, text: &str| filled(&Path::root().child("spec").child(key), text);
        for text in [
            "${VAR}",
            "${a.b}",
            "{{ .Values.x }}",
            "$(VAR)",
            "$VAR",
            "ENC[AES256_GCM,data:x]",
            "<image>",
            "__TAG__",
            "((x))",
            "#{X}#",
        ] {
            assert_eq!(said("x", text), Some(Filled::Later), "{text}");
        }
        assert_eq!(said("x", "${VAR:=false}"), Some(Filled::With(Value::Bool(false))));
        assert_eq!(said("x", "${VAR:-3}"), Some(Filled::With(Value::Int(3))));
        assert_eq!(said("x", "${VAR:=a b}"), Some(Filled::With(Value::from("a b"))));
        for text in ["web", "$price", "$(date +%s)", "postgres://app:hunter2@${HOST}/db", "a ${B}", "__", "auto"] {
            assert_eq!(said("x", text), None, "{text}");
        }
        for text in ["auto", "ko://shop.example/cmd", "shop.example/web:${TAG}", "{{ .image }}:{{ .tag }}"] {
            assert_eq!(said("image", text), Some(Filled::Later), "{text}");
        }
        assert_eq!(said("image", "shop.example/auto"), None);
    }
}
