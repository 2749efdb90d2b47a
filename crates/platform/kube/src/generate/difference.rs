//! How two states of an object differ, as a JSON merge patch (RFC 7386).

use palisade_model::{Map, Value};

/// The patch that makes `after` of `before`; `None` where they are the same. A member that `after` gives as null is
/// removed, which is all that the format can say.
pub(super) fn difference(before: &Value, after: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return (before != after).then(|| after.clone());
    };
    let mut patch = Map::new();
    for (key, value) in new.iter() {
        let change = match old.get(key) {
            Some(before) => difference(before, value),
            None => (!value.is_null()).then(|| value.clone()),
        };
        if let Some(change) = change {
            patch.insert(key.clone(), change);
        }
    }
    for (key, _) in old.iter().filter(|(key, _)| !new.contains_key(key)) {
        patch.insert(key.clone(), Value::Null);
    }
    (!patch.is_empty()).then(|| Value::object(patch))
}

#[cfg(test)]
mod tests {
    use palisade_model::json;

    use super::*;

    #[test]
    fn a_patch_says_what_changed_came_and_went() {
        let before = json!({"a": {"b": 1, "c": 2}, "d": [1, 2], "e": true});
        let after = json!({"a": {"b": 1, "x": {"y": 3}}, "d": [2], "e": true});
        assert_eq!(difference(&before, &after), Some(json!({"a": {"c": null, "x": {"y": 3}}, "d": [2]})));
        assert_eq!(difference(&before, &before.clone()), None);
    }
}
