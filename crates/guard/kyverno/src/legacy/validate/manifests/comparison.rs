//! What differs between a signed manifest and the resource.
//!
//! Both are compared leaf by leaf. As with Kyverno, what is absent equals `null`, an empty text, an empty list and an
//! empty object; an image equals itself with the default registry or tag; and a leaf that moves from one element of a
//! list to another is no difference.

use std::collections::{BTreeMap, HashMap};

use palisade_gotext::go_json;
use palisade_model::{Path, Segment, Value, json};
use regex::Regex;

/// A leaf that differs.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    /// Where it is.
    pub(super) path: Path,
    /// The same as dotted text.
    pub(super) key: String,
    before: Value,
    after: Value,
}

impl Difference {
    /// The difference as Kyverno shows it.
    pub(super) fn to_value(&self) -> Value {
        let values = json!({"after": (self.after.clone()), "before": (self.before.clone())});
        json!({"key": (self.key.as_str()), "values": values})
    }

    fn is_canonical_image(&self) -> bool {
        let (Some(before), Some(after)) = (self.before.as_str(), self.after.as_str()) else { return false };
        self.key.ends_with("image")
            && (after.strip_prefix("docker.io/") == Some(before) || after.strip_suffix(":latest") == Some(before))
    }

    fn is_absent_or_empty(&self) -> bool {
        let empty = |value: &Value| value.as_str() == Some("");
        (self.before.is_null() && empty(&self.after)) || (self.after.is_null() && empty(&self.before))
    }

    /// The key without positions in lists, where it has some before its end.
    fn outside_of_lists(&self) -> Option<String> {
        let last = self.path.0.len().saturating_sub(1);
        let inner = |(at, segment): (usize, &Segment)| at > 0 && at < last && is_position(segment);
        self.path.0.iter().enumerate().any(inner).then(|| {
            let name = |(at, segment)| if inner((at, segment)) { "#".into() } else { segment_text(segment) };
            self.path.0.iter().enumerate().map(name).collect::<Vec<_>>().join(".")
        })
    }
}

/// What differs, apart from ignored fields; no more than `most`.
pub(super) fn differences(manifest: &Value, object: &Value, ignored: &[&Regex], most: usize) -> Vec<Difference> {
    let found = all(manifest, object);
    let moves = Moves::of(&found);
    let counts = |difference: &Difference| {
        !moves.explain(difference)
            && !difference.is_absent_or_empty()
            && !difference.is_canonical_image()
            && !is_ignored(&difference.key, ignored)
    };
    found.into_iter().filter(counts).take(most).collect()
}

/// The manifests that have most leaves in common with the object, ignored fields aside.
pub(super) fn most_alike<'m>(manifests: Vec<&'m Value>, object: &Value, ignored: &[&Regex]) -> Vec<&'m Value> {
    let mut wanted = leaves(object);
    wanted.retain(|path, _| !is_ignored(&dotted(path), ignored));
    let is_wanted = |(path, value): &(&Path, &&Value)| wanted.get(*path).is_some_and(|other| is_same(other, value));
    let counts: Vec<usize> =
        manifests.iter().map(|manifest| leaves(manifest).iter().filter(is_wanted).count()).collect();
    let most = counts.iter().max();
    let best = manifests.into_iter().zip(&counts).filter(|(_, count)| Some(*count) == most);
    best.map(|(manifest, _)| manifest).collect()
}

fn is_ignored(key: &str, ignored: &[&Regex]) -> bool {
    ignored.iter().any(|pattern| pattern.is_match(key))
}

fn all(manifest: &Value, object: &Value) -> Vec<Difference> {
    let (before, mut after) = (leaves(manifest), leaves(object));
    let mut found = Vec::new();
    for (path, before) in before {
        match after.remove(&path) {
            Some(after) if is_same(before, after) => {}
            other => found.push((path, before.clone(), other.cloned().unwrap_or_default())),
        }
    }
    found.extend(after.into_iter().map(|(path, after)| (path, Value::Null, after.clone())));
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let difference = |(path, before, after)| Difference { key: dotted(&path), path, before, after };
    found.into_iter().map(difference).collect()
}

/// Texts, numbers and booleans by their paths.
fn leaves(root: &Value) -> BTreeMap<Path, &Value> {
    let mut leaves = BTreeMap::new();
    let mut open = vec![(Path::root(), root)];
    while let Some((path, value)) = open.pop() {
        match value {
            Value::Null => {}
            Value::Object(map) => open.extend(map.iter().map(|(key, value)| (path.child(&**key), value))),
            Value::Array(items) => open.extend(items.iter().enumerate().map(|(at, value)| (path.child(at), value))),
            leaf => drop(leaves.insert(path, leaf)),
        }
    }
    leaves
}

/// Whether leaves are equal; all numbers are doubles.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

/// Leaves that went away and leaves that came, by their place outside of lists and their value.
struct Moves(HashMap<(String, String), (bool, bool)>);

impl Moves {
    fn of(differences: &[Difference]) -> Self {
        let mut moves = HashMap::<_, (bool, bool)>::new();
        for difference in differences {
            let Some(key) = move_key(difference) else { continue };
            let (went, came) = moves.entry(key).or_default();
            *went |= difference.after.is_null();
            *came |= difference.before.is_null();
        }
        Self(moves)
    }

    /// Whether what went away came back elsewhere, or the other way round.
    fn explain(&self, difference: &Difference) -> bool {
        move_key(difference).is_some_and(|key| self.0.get(&key) == Some(&(true, true)))
    }
}

fn move_key(difference: &Difference) -> Option<(String, String)> {
    let ((Value::Null, value) | (value, Value::Null)) = (&difference.before, &difference.after) else { return None };
    let value = value.as_f64().map_or_else(|| go_json::to_string(value), go_json::number);
    Some((difference.outside_of_lists()?, value))
}

fn is_position(segment: &Segment) -> bool {
    match segment {
        Segment::Index(_) => true,
        Segment::Key(key) => !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

fn segment_text(segment: &Segment) -> String {
    match segment {
        Segment::Key(key) => key.to_string(),
        Segment::Index(index) => index.to_string(),
    }
}

fn dotted(path: &Path) -> String {
    path.0.iter().map(segment_text).collect::<Vec<_>>().join(".")
}
