//! The pack is total: no rule ends with an error, whatever an object leaves out, writes as null or leaves empty.

use palisade_model::{Map, Path, Segment, Value};
use palisade_packs::KUBERNETES;

use crate::rules::folder;
use crate::runner::{Scratch, check, documents};

/// What is done to one place of an object.
#[derive(Clone, Copy)]
enum Damage {
    Absent,
    Null,
    NullBeside,
}

/// Every place of a value but what says its kind.
fn places(value: &Value, path: &Path, found: &mut Vec<Path>) {
    let mut enter = |segment: Segment, value: &Value| {
        let path = path.child(segment);
        if !matches!(&*path.to_string(), "apiVersion" | "kind") {
            found.push(path.clone());
            places(value, &path, found);
        }
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| enter(Segment::Key(key.clone()), value)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| enter(Segment::Index(index), item)),
        _ => {}
    }
}

/// The value with the damage done; none where it cannot be.
fn damaged(value: &Value, path: &[Segment], damage: Damage) -> Option<Value> {
    let mut value = value.clone();
    match (path, damage) {
        ([], Damage::NullBeside) => value.as_array_mut()?.push(Value::Null),
        ([], _) => value = Value::Null,
        ([Segment::Key(key)], Damage::Absent) => {
            let map = value.as_object()?;
            value = Value::object(map.iter().filter(|(other, _)| *other != key).map(pair).collect::<Map>());
        }
        ([Segment::Index(_)], Damage::Absent) => return None,
        ([Segment::Key(key), rest @ ..], _) => {
            let member = value.as_object_mut()?.get_mut(key)?;
            *member = damaged(member, rest, damage)?;
        }
        ([Segment::Index(index), rest @ ..], _) => {
            let item = value.as_array_mut()?.get_mut(*index)?;
            *item = damaged(item, rest, damage)?;
        }
    }
    Some(value)
}

fn pair<K: Clone, V: Clone>((key, value): (&K, &V)) -> (K, V) {
    (key.clone(), value.clone())
}

#[test]
fn no_rule_ends_with_an_error_whatever_is_absent_or_null() {
    let mut breaches = Vec::new();
    for entry in KUBERNETES.rules {
        let mut objects = Vec::new();
        for name in ["fail.yaml", "pass.yaml"] {
            for document in documents(&folder(entry).join(name)) {
                let mut found = Vec::new();
                places(&document.value, &Path::root(), &mut found);
                for path in &found {
                    let damage = [Damage::Absent, Damage::Null, Damage::NullBeside].into_iter();
                    objects.extend(damage.filter_map(|damage| damaged(&document.value, &path.0, damage)));
                }
            }
        }
        let mut list = Map::new();
        list.insert("apiVersion", "v1");
        list.insert("kind", "List");
        list.insert("items", Value::array(objects));
        let scratch = Scratch::of(&[("objects.json", &Value::object(list).to_json())]);
        let rule = folder(entry).join("rule.yaml").display().to_string();
        let errors =
            check(&[scratch.0.join("objects.json")], &[rule]).into_iter().filter(|found| found.verdict == "error");
        let mut messages: Vec<String> = errors.map(|found| format!("{}: {}", entry.id, found.message)).collect();
        messages.dedup();
        breaches.extend(messages);
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}
