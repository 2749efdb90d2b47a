//! Merging an apply configuration into an object, as server-side apply does it.
//!
//! Deliberately absent: field ownership. A mutation at admission adds and overrides; it never removes what an
//! earlier applier owned.

use std::collections::HashMap;

use palisade_model::{GroupVersionKind, Map, Path, Segment, Value};

use super::shapes::{Fallback, Key, Shape};

/// The deepest nesting that is merged; deeper parts are replaced as a whole.
const MAX_DEPTH: usize = 256;

/// `object` with `patch` applied. Unless `replace_atomics`, a patch that touches a list or object which can only be
/// replaced as a whole is refused, since it would drop every part it does not mention.
pub(super) fn apply(object: &Value, patch: &Value, replace_atomics: bool) -> Result<Value, String> {
    let kind = GroupVersionKind::of(object).ok_or("error applying patch: the object has no kind")?;
    if let Some(path) = find_null(patch, &Path::root()) {
        return Err(format!("invalid ApplyConfiguration: `{path}` is null; leave the field out instead"));
    }
    let shape = Shape::of(&kind.group, &kind.kind);
    if !replace_atomics {
        let mut atomics = Vec::new();
        find_atomics(patch, shape, &Path::root(), &mut atomics);
        if !atomics.is_empty() {
            let fields: Vec<_> = atomics.iter().map(|path| format!("`{path}`")).collect();
            return Err(format!(
                "invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: {}; use a JSONPatch",
                fields.join(", ")
            ));
        }
    }
    let mut merged = merge(object, patch, shape, 0)?;
    // The patch is given the object's kind, so it cannot change it.
    if let (Some(merged), Some(object)) = (merged.as_object_mut(), object.as_object()) {
        for key in ["apiVersion", "kind"] {
            if let Some(value) = object.get(key) {
                merged.insert(key, value.clone());
            }
        }
    }
    Ok(merged)
}

/// Server-side apply has no use for `null`: leaving a field out is what leaves it alone.
fn find_null(patch: &Value, path: &Path) -> Option<Path> {
    match patch {
        _ if path.0.len() >= MAX_DEPTH => None,
        Value::Null => Some(path.clone()),
        Value::Object(map) => {
            map.iter().find_map(|(key, value)| find_null(value, &path.child(Segment::Key(key.clone()))))
        }
        Value::Array(items) => items.iter().enumerate().find_map(|(at, item)| find_null(item, &path.child(at))),
        _ => None,
    }
}

fn find_atomics(patch: &Value, shape: &Shape, path: &Path, found: &mut Vec<Path>) {
    if path.0.len() >= MAX_DEPTH {
        return;
    }
    match (patch, shape) {
        (Value::Object(_) | Value::Array(_), Shape::Atomic) | (Value::Array(_), Shape::Plain | Shape::Object(_)) => {
            // An element of a keyed list is reached only through its list, which is told apart below.
            found.push(path.clone());
        }
        (Value::Object(members), _) => {
            for (key, value) in members.iter() {
                find_atomics(value, shape.member(key), &path.child(Segment::Key(key.clone())), found);
            }
        }
        (Value::Array(items), Shape::Keyed(_, element)) => {
            for (index, item) in items.iter().enumerate() {
                find_atomics(item, element, &path.child(index), found);
            }
        }
        _ => {}
    }
}

fn merge(live: &Value, patch: &Value, shape: &Shape, depth: usize) -> Result<Value, String> {
    if depth >= MAX_DEPTH {
        return Ok(patch.clone());
    }
    match (live, patch, shape) {
        (Value::Object(live), Value::Object(patch), Shape::Plain | Shape::Object(_)) => {
            merge_objects(live, patch, shape, depth).map(Value::object)
        }
        (Value::Array(live), Value::Array(patch), Shape::Keyed(keys, element)) => {
            merge_keyed(live, patch, keys, element, depth).map(Value::array)
        }
        (Value::Array(live), Value::Array(patch), Shape::Set) => Ok(Value::array(merge_sets(live, patch))),
        _ => Ok(patch.clone()),
    }
}

fn merge_objects(live: &Map, patch: &Map, shape: &Shape, depth: usize) -> Result<Map, String> {
    let mut merged = live.clone();
    for (key, value) in patch.iter() {
        let value = match live.get(key) {
            Some(current) => merge(current, value, shape.member(key), depth + 1)?,
            None => value.clone(),
        };
        merged.insert(key.clone(), value);
    }
    Ok(merged)
}

/// What tells the elements of a keyed list apart: the JSON of their key fields.
fn identity(item: &Value, keys: &[Key]) -> Result<String, String> {
    let Some(item) = item.as_object() else {
        return Err("an element of a list with keys must be an object".into());
    };
    let field = |key: &Key| {
        item.get(key.name).cloned().unwrap_or_else(|| match key.default {
            Fallback::Text(text) => Value::from(text),
            Fallback::Zero => Value::Int(0),
        })
    };
    Ok(Value::array(keys.iter().map(field).collect::<Vec<_>>()).to_json())
}

fn merge_keyed(
    live: &[Value],
    patch: &[Value],
    keys: &[Key],
    element: &Shape,
    depth: usize,
) -> Result<Vec<Value>, String> {
    let identities =
        |items: &[Value]| items.iter().map(|item| identity(item, keys)).collect::<Result<Vec<_>, String>>();
    let (mut live_ids, patch_ids) = (identities(live)?, identities(patch)?);
    let mut patch_at = HashMap::new();
    for (index, id) in patch_ids.iter().enumerate() {
        if patch_at.insert(id.as_str(), index).is_some() {
            return Err(format!("duplicate entries for key {id}"));
        }
    }
    keep_duplicates(live, patch, &mut live_ids, &patch_at);
    let live_at: HashMap<&str, usize> = live_ids.iter().enumerate().map(|(index, id)| (id.as_str(), index)).collect();
    interleave(&live_ids, &patch_ids, |place| match place {
        Place::Live(index) => Ok(live.get(index).cloned()),
        Place::Patch(index) => {
            let (Some(id), Some(item)) = (patch_ids.get(index), patch.get(index)) else { return Ok(None) };
            match live_at.get(id.as_str()).and_then(|at| live.get(*at)) {
                Some(current) => merge(current, item, element, depth + 1).map(Some),
                None => Ok(Some(item.clone())),
            }
        }
    })
}

/// Gives live elements with the keys of another an identity of their own, so that they stay. The one that a patch is about
/// is the one with its name, else the first. Server-side apply puts the patch in the place of them all, which takes away
/// what nobody named.
fn keep_duplicates(live: &[Value], patch: &[Value], ids: &mut [String], patch_at: &HashMap<&str, usize>) {
    let mut chosen: HashMap<String, usize> = HashMap::new();
    let name = |item: Option<&Value>| item.and_then(|item| item.get("name")).cloned();
    for (index, id) in ids.iter().enumerate() {
        let wanted = name(patch_at.get(id.as_str()).and_then(|at| patch.get(*at)));
        let named = wanted.is_some() && name(live.get(index)) == wanted;
        chosen
            .entry(id.clone())
            .and_modify(|known| {
                if named && name(live.get(*known)) != wanted {
                    *known = index;
                }
            })
            .or_insert(index);
    }
    for (index, id) in ids.iter_mut().enumerate() {
        if chosen.get(id.as_str()) != Some(&index) {
            // No JSON ends so.
            *id = format!("{id} {index}");
        }
    }
}

fn merge_sets(live: &[Value], patch: &[Value]) -> Vec<Value> {
    let ids = |items: &[Value]| items.iter().map(Value::to_json).collect::<Vec<_>>();
    let mut live_ids = ids(live);
    keep_duplicates(live, &[], &mut live_ids, &HashMap::new());
    let merged = interleave(&live_ids, &ids(patch), |place| {
        Ok::<_, String>(match place {
            Place::Live(index) => live.get(index).cloned(),
            Place::Patch(index) => patch.get(index).cloned(),
        })
    });
    merged.unwrap_or_default()
}

/// Where the next element of a merged list comes from.
enum Place {
    /// The live list alone.
    Live(usize),
    /// The patch, merged with the live element of the same identity where there is one.
    Patch(usize),
}

/// Walks two lists of identities in step, as structured merge does it: the patch decides the order of shared
/// elements, live elements keep their places between them, new elements follow where the patch has them.
fn interleave<F>(live: &[String], patch: &[String], mut take: F) -> Result<Vec<Value>, String>
where
    F: FnMut(Place) -> Result<Option<Value>, String>,
{
    let in_live: std::collections::HashSet<&str> = live.iter().map(String::as_str).collect();
    let in_patch: std::collections::HashSet<&str> = patch.iter().map(String::as_str).collect();
    let mut shared = patch.iter().filter(|id| in_live.contains(id.as_str()));
    let mut next_shared = shared.next();
    let mut done = std::collections::HashSet::new();
    let mut out = Vec::with_capacity(live.len().max(patch.len()));
    let (mut left, mut right) = (0, 0);
    while left < live.len() || right < patch.len() {
        let (current, wanted) = (live.get(left), patch.get(right));
        if let (Some(id), Some(want)) = (current, wanted) {
            if id == want {
                done.insert(id.as_str());
                out.extend(take(Place::Patch(right))?);
                (left, right) = (left + 1, right + 1);
                next_shared = shared.next();
                continue;
            }
            if in_patch.contains(id.as_str()) && next_shared.is_some_and(|shared| shared != id) {
                left += 1;
                continue;
            }
        }
        if let Some(id) = current {
            if !in_patch.contains(id.as_str()) {
                out.extend(take(Place::Live(left))?);
                left += 1;
                continue;
            }
            if done.contains(id.as_str()) {
                left += 1;
            }
        }
        if let Some(want) = wanted {
            done.insert(want.as_str());
            out.extend(take(Place::Patch(right))?);
            right += 1;
            if next_shared == Some(want) {
                next_shared = shared.next();
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use palisade_model::json;

    use super::*;

    fn pod(spec: &str) -> Value {
        Value::from_json(&format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"a"}},"spec":{spec}}}"#))
            .unwrap()
    }

    fn spec(patch: &str) -> Value {
        Value::from_json(&format!(r#"{{"spec":{patch}}}"#)).unwrap()
    }

    #[test]
    fn containers_merge_by_name_and_keep_their_order() {
        let live = pod(r#"{"containers":[{"name":"a","image":"x"},{"name":"b","image":"y"}]}"#);
        let patch = spec(r#"{"containers":[{"name":"b","tty":true},{"name":"c","image":"z"}]}"#);
        let merged = apply(&live, &patch, false).unwrap();
        let expected = json!([
            {"name": "a", "image": "x"}, {"name": "b", "image": "y", "tty": true}, {"name": "c", "image": "z"},
        ]);
        assert_eq!(merged.dig(["spec", "containers"]), Some(&expected));
        assert_eq!(merged.get("kind"), Some(&Value::from("Pod")));
    }

    #[test]
    fn ports_are_told_apart_with_the_default_protocol() {
        let ports = |ports| pod(&format!(r#"{{"containers":[{{"name":"a","ports":{ports}}}]}}"#));
        let live = ports(r#"[{"containerPort":80,"protocol":"TCP"}]"#);
        let patch = spec(r#"{"containers":[{"name":"a","ports":[{"containerPort":80,"name":"http"}]}]}"#);
        let merged = apply(&live, &patch, false).unwrap();
        let expected = ports(r#"[{"containerPort":80,"protocol":"TCP","name":"http"}]"#);
        assert_eq!(merged, expected);
    }

    #[test]
    fn elements_with_equal_keys_stay() {
        let ports = |ports| pod(&format!(r#"{{"containers":[{{"name":"a","ports":{ports}}}]}}"#));
        let live = ports(r#"[{"containerPort":80,"name":"a"},{"containerPort":80,"name":"b"},{"containerPort":81}]"#);
        let patch = spec(r#"{"containers":[{"name":"a","ports":[{"containerPort":80,"name":"b","hostPort":1}]}]}"#);
        let expected = ports(
            r#"[{"containerPort":80,"name":"a"},{"containerPort":80,"name":"b","hostPort":1},{"containerPort":81}]"#,
        );
        assert_eq!(apply(&live, &patch, false).unwrap(), expected);
        let patch = spec(r#"{"containers":[{"name":"a","tty":true}]}"#);
        let merged = apply(&live, &patch, false).unwrap();
        assert_eq!(
            merged
                .dig(["spec", "containers"])
                .and_then(|list| list.at(0)?.get("ports")?.as_array())
                .map(<[Value]>::len),
            Some(3)
        );
    }

    #[test]
    fn atomic_parts_are_refused_unless_asked_for() {
        let live = pod(r#"{"tolerations":[{"key":"a"}],"nodeSelector":{"a":"b"}}"#);
        let patch = spec(r#"{"tolerations":[{"key":"b"}],"nodeSelector":{"c":"d"}}"#);
        let why = apply(&live, &patch, false).unwrap_err();
        assert!(why.contains("`spec.tolerations`") && why.contains("`spec.nodeSelector`"), "{why}");
        let merged = apply(&live, &patch, true).unwrap();
        assert_eq!(merged.dig(["spec", "nodeSelector"]), Some(&json!({"c": "d"})));
        assert_eq!(merged.dig(["spec", "tolerations"]), Some(&json!([{"key": "b"}])));
    }

    #[test]
    fn an_element_without_its_key_is_one_with_the_empty_key() {
        let live = pod(r#"{"containers":[{"name":"a"}]}"#);
        let merged = apply(&live, &spec(r#"{"containers":[{"image":"x"}]}"#), false).unwrap();
        assert_eq!(merged.dig(["spec", "containers"]), Some(&json!([{"name": "a"}, {"image": "x"}])));
        let twice = spec(r#"{"containers":[{"name":"a"},{"name":"a"}]}"#);
        assert!(apply(&live, &twice, false).unwrap_err().contains("duplicate"));
        let text = spec(r#"{"containers":["a"]}"#);
        assert!(apply(&live, &text, false).unwrap_err().contains("must be an object"));
    }

    #[test]
    fn null_and_objects_without_a_kind_are_refused() {
        let live = pod("{}");
        let null = json!({"metadata": {"labels": null}});
        assert!(apply(&live, &null, false).unwrap_err().contains("`metadata.labels`"));
        assert!(apply(&json!({}), &spec("{}"), false).unwrap_err().contains("kind"));
    }

    #[test]
    fn finalizers_merge_as_a_set() {
        let live = json!({"kind": "X", "apiVersion": "g/v1", "metadata": {"finalizers": ["a", "b"]}});
        let patch = json!({"metadata": {"finalizers": ["c", "a"]}});
        let merged = apply(&live, &patch, false).unwrap();
        let finalizers = merged.dig(["metadata", "finalizers"]).and_then(Value::as_array).unwrap();
        assert_eq!(finalizers.len(), 3);
    }
}
