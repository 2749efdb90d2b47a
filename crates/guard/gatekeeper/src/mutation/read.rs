//! From a document to a [`Mutator`].

use palisade_cel::admission::{Node, Reader};
use palisade_model::{Path, Str, Value};

use super::change::{Condition, Setter};
use super::image::ImageParts;
use super::location::{Location, Step};
use super::mutator::{Mutator, Source};
use crate::codes;
use crate::kinds::MutatorKind;
use crate::matching::{ApplyTo, Criteria};

impl Mutator {
    /// Reads a mutator; problems go to `reader`.
    pub(super) fn read(reader: &mut Reader<'_>, kind: MutatorKind) -> Option<Self> {
        let root = reader.root();
        let Some(spec) = reader.object(&root, "spec") else {
            reader.missing(&root, "spec");
            return None;
        };
        reader.known_fields(&spec, &["applyTo", "match", "location", "parameters"]);
        let name = reader.document().object.dig(["metadata", "name"]).and_then(Value::as_shared_str).cloned();
        if name.is_none() {
            reader.missing(&root, "metadata.name");
        }
        let apply_to = match kind {
            MutatorKind::AssignMetadata => Vec::new(),
            _ => ApplyTo::read(reader, &spec, codes::INVALID_MUTATOR),
        };
        let location = location(reader, &spec, kind)?;
        let empty = Value::object(palisade_model::Map::new());
        let parameters = reader.object(&spec, "parameters");
        let parameters = parameters.unwrap_or(Node { value: &empty, path: spec.path.child("parameters") });
        let mutator = Self {
            kind,
            name: name?,
            document: reader.document().clone(),
            apply_to,
            criteria: Criteria::read(reader, &spec),
            conditions: conditions(reader, &parameters, &location, kind),
            source: source(reader, &parameters, &location, kind)?,
            location,
        };
        (!reader.failed()).then_some(mutator)
    }
}

fn wrong(reader: &mut Reader<'_>, path: &Path, message: impl Into<String>, help: &str) {
    reader.error(codes::INVALID_MUTATOR, path, message, help);
}

fn location(reader: &mut Reader<'_>, spec: &Node<'_>, kind: MutatorKind) -> Option<Location> {
    let text = reader.required_text(spec, "location")?;
    let path = spec.path.child("location");
    let location = match Location::parse(&text) {
        Ok(location) => location,
        Err(message) => {
            let help = "write it as `spec.containers[name: main].image`";
            wrong(reader, &path, format!("`{text}` is not a location: {message}"), help);
            return None;
        }
    };
    if let Err((message, help)) = check_location(&location, kind) {
        wrong(reader, &path, message, help);
        return None;
    }
    Some(location)
}

/// What a kind of mutator may not change.
fn check_location(location: &Location, kind: MutatorKind) -> Result<(), (&'static str, &'static str)> {
    if kind == MutatorKind::AssignMetadata {
        let [Step::Field(_), Step::Field(part), Step::Field(_)] = &location.0[..] else {
            return Err(("AssignMetadata changes one label or annotation", "write `metadata.labels.NAME`"));
        };
        let fits = location.is_metadata() && matches!(&**part, "labels" | "annotations");
        return if fits {
            Ok(())
        } else {
            Err(("AssignMetadata changes labels and annotations only", "write `metadata.labels.NAME`"))
        };
    }
    if location.is_metadata() {
        return Err(("only AssignMetadata may change metadata", "use AssignMetadata"));
    }
    match &location.0[..] {
        [.., Step::Element { value: None, .. }] => {
            Err(("every element of a list cannot be set at once", "name a field of them"))
        }
        [.., Step::Element { .. }] if kind != MutatorKind::Assign => {
            Err(("the location must not end with an element of a list", "name a field of it"))
        }
        [.., Step::Element { key, .. }, Step::Field(name)] if key == name && kind != MutatorKind::ModifySet => {
            Err(("the key of a list's element must not be changed", "change another field"))
        }
        _ => Ok(()),
    }
}

/// `pathTests`: each is about a part of the location that begins it.
fn conditions(
    reader: &mut Reader<'_>,
    parameters: &Node<'_>,
    location: &Location,
    kind: MutatorKind,
) -> Vec<Option<Condition>> {
    let mut conditions = vec![None; location.0.len()];
    if kind == MutatorKind::AssignMetadata {
        // It adds; what is there stays.
        if let Some(last) = conditions.last_mut() {
            *last = Some(Condition::MustNotExist);
        }
        return conditions;
    }
    let words = [("MustExist", Condition::MustExist), ("MustNotExist", Condition::MustNotExist)];
    for node in reader.list(parameters, "pathTests") {
        reader.known_fields(&node, &["subPath", "condition"]);
        let (Some(text), Some(condition)) =
            (reader.required_text(&node, "subPath"), reader.word(&node, "condition", &words))
        else {
            continue;
        };
        let path = node.path.child("subPath");
        let sub = Location::parse(&text).ok().filter(|sub| sub.begins(location));
        let Some(slot) = sub.and_then(|sub| conditions.get_mut(sub.0.len().checked_sub(1)?)) else {
            wrong(reader, &path, format!("`{text}` does not begin the location"), "name a part of `spec.location`");
            continue;
        };
        if slot.is_some_and(|known| known != condition) {
            wrong(reader, &path, format!("`{text}` is tested for two different things"), "keep one of the tests");
        }
        *slot = Some(condition);
        if let Some(message) = contradiction(&conditions) {
            wrong(reader, &path, format!("`{text}`: {message}"), "keep one of the two tests");
        }
    }
    conditions
}

/// What is below something that must not be there can never be required.
fn contradiction(conditions: &[Option<Condition>]) -> Option<&'static str> {
    let absent = conditions.iter().position(|condition| *condition == Some(Condition::MustNotExist))?;
    let present = conditions.iter().rposition(|condition| *condition == Some(Condition::MustExist))?;
    (absent < present).then_some("a part of the location must exist below one that must not, so the mutator never acts")
}

fn source(reader: &mut Reader<'_>, parameters: &Node<'_>, location: &Location, kind: MutatorKind) -> Option<Source> {
    match kind {
        MutatorKind::Assign => {
            reader.known_fields(parameters, &["pathTests", "assign"]);
            assigned(reader, parameters, location, kind)
        }
        MutatorKind::AssignMetadata => {
            reader.known_fields(parameters, &["assign"]);
            assigned(reader, parameters, location, kind)
        }
        MutatorKind::ModifySet => modified(reader, parameters),
        MutatorKind::AssignImage => image(reader, parameters),
    }
}

/// `assign`: a value, a field of the metadata, or external data.
fn assigned(reader: &mut Reader<'_>, parameters: &Node<'_>, location: &Location, kind: MutatorKind) -> Option<Source> {
    let Some(assign) = reader.object(parameters, "assign") else {
        reader.missing(parameters, "assign");
        return None;
    };
    reader.known_fields(&assign, &["value", "fromMetadata", "externalData"]);
    let given: Vec<&str> =
        ["value", "fromMetadata", "externalData"].into_iter().filter(|key| assign.value.get(key).is_some()).collect();
    let [only] = &given[..] else {
        let message = "`assign` needs exactly one of `value`, `fromMetadata` and `externalData`";
        wrong(reader, &assign.path, message, "keep one");
        return None;
    };
    let element = match location.last() {
        Some(Step::Element { key, value }) => Some((key, value)),
        _ => None,
    };
    match *only {
        "value" => {
            let value = assign.value.get("value").cloned().unwrap_or_default();
            check_value(reader, &assign.path.child("value"), &value, element, kind);
            Some(Source::Given(Setter::Assign(value)))
        }
        _ if element.is_some() => {
            wrong(reader, &assign.path, "an element of a list can only be set to a `value`", "write the element");
            None
        }
        "fromMetadata" => {
            let from = reader.object(&assign, "fromMetadata")?;
            let fields = [("name", "name"), ("namespace", "namespace")];
            reader.word(&from, "field", &fields).map(Source::Metadata)
        }
        _ => {
            let external = reader.object(&assign, "externalData")?;
            reader.required_text(&external, "provider").map(Source::External)
        }
    }
}

fn check_value(
    reader: &mut Reader<'_>,
    path: &Path,
    value: &Value,
    element: Option<(&Str, &Option<Value>)>,
    kind: MutatorKind,
) {
    if kind == MutatorKind::AssignMetadata && value.as_str().is_none() {
        wrong(reader, path, "labels and annotations are texts", "quote the value");
    }
    if let Some((key, wanted)) = element
        && value.get(key) != wanted.as_ref()
    {
        let message = format!("the assigned element must be an object whose `{key}` is the one in the location");
        wrong(reader, path, message, "repeat the key in the value");
    }
}

fn modified(reader: &mut Reader<'_>, parameters: &Node<'_>) -> Option<Source> {
    reader.known_fields(parameters, &["pathTests", "operation", "values"]);
    let operation = reader.word(parameters, "operation", &[("merge", false), ("prune", true)]).unwrap_or_default();
    let Some(values) = reader.object(parameters, "values") else {
        reader.missing(parameters, "values");
        return None;
    };
    let values = reader.list(&values, "fromList").iter().map(|node| node.value.clone()).collect();
    Some(Source::Given(if operation { Setter::Prune(values) } else { Setter::Merge(values) }))
}

fn image(reader: &mut Reader<'_>, parameters: &Node<'_>) -> Option<Source> {
    reader.known_fields(parameters, &["pathTests", "assignDomain", "assignPath", "assignTag"]);
    let mut text = |key| reader.text(parameters, key).as_deref().unwrap_or_default().to_owned();
    let parts = ImageParts { domain: text("assignDomain"), path: text("assignPath"), tag: text("assignTag") };
    if let Err(message) = parts.check() {
        wrong(reader, &parameters.path, message, "correct the parts of the image");
        return None;
    }
    Some(Source::Given(Setter::Image(parts)))
}
