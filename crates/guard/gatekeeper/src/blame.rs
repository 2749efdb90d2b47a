//! Which field a violation is about. Templates answer with a sentence, so the field is looked for where that is cheap:
//! in what the template adds, and by the names of containers in the sentence.

use palisade_model::{Path, Segment, Value};

/// Members of `details` that templates put paths into.
const KEYS: [&str; 5] = ["path", "field", "fieldPath", "location", "paths"];
/// Lists of containers.
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];
/// Where pods keep them, and the workloads that make pods.
const POD_SPECS: [&[&str]; 3] =
    [&["spec"], &["spec", "template", "spec"], &["spec", "jobTemplate", "spec", "template", "spec"]];
/// The most fields that are named.
const MAX_PATHS: usize = 10;

/// The fields at fault, most telling first: those that the engine knows, those in `details`, those that `message` names.
pub(crate) fn fields(object: &Value, message: &str, details: &Value, known: Vec<Path>) -> Vec<Path> {
    if !known.is_empty() {
        return known;
    }
    let told: Vec<Path> = KEYS.into_iter().filter_map(|key| details.get(key)).flat_map(texts).collect();
    let told: Vec<Path> = told.into_iter().filter(|path| path.resolve(object).is_some()).take(MAX_PATHS).collect();
    if told.is_empty() { containers(object, message) } else { told }
}

fn texts(value: &Value) -> Vec<Path> {
    let one = std::slice::from_ref(value);
    let path = |text: &Value| Path::parse(text.as_str()?).filter(|path| !path.is_root());
    value.as_array().unwrap_or(one).iter().filter_map(path).collect()
}

/// Containers whose names stand in the message, and their image where that does.
fn containers(object: &Value, message: &str) -> Vec<Path> {
    let mut found = Vec::new();
    for spec in POD_SPECS {
        let spec: Path = spec.iter().copied().collect();
        for list in CONTAINERS {
            let list = spec.child(list);
            let containers = list.resolve(object).and_then(Value::as_array).unwrap_or_default();
            for (index, container) in containers.iter().enumerate() {
                let text = |key| container.get(key).and_then(Value::as_str).unwrap_or_default();
                if found.len() < MAX_PATHS && has_word(message, text("name")) {
                    let path = list.child(Segment::Index(index));
                    found.push(if has_word(message, text("image")) { path.child("image") } else { path });
                }
            }
        }
    }
    found
}

/// Whether `word` stands in `text` on its own, not as a part of a longer name.
fn has_word(text: &str, word: &str) -> bool {
    let joins = |character: char| character.is_alphanumeric() || matches!(character, '-' | '_');
    !word.is_empty()
        && text.match_indices(word).any(|(at, _)| {
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            let after = text.get(at + word.len()..).and_then(|text| text.chars().next());
            !before.is_some_and(joins) && !after.is_some_and(joins)
        })
}

#[cfg(test)]
mod tests {
    use palisade_model::json;

    use super::*;

    #[test]
    fn containers_are_found_by_name() {
        let pod = json!({"spec": {"containers": [{"name": "web", "image": "nginx:latest"}, {"name": "web-2", "image": "b"}]}});
        let paths = |message: &str| -> Vec<String> {
            fields(&pod, message, &Value::Null, Vec::new()).iter().map(ToString::to_string).collect()
        };
        assert_eq!(paths("container <web> has no limits"), ["spec.containers[0]"]);
        assert_eq!(paths("container 'web' uses nginx:latest"), ["spec.containers[0].image"]);
        assert_eq!(paths("container web-2 is odd"), ["spec.containers[1]"]);
        assert!(paths("nothing to see").is_empty());
    }

    #[test]
    fn details_come_before_the_message() {
        let pod = json!({"spec": {"hostPID": true, "containers": [{"name": "a"}]}});
        let details = json!({"path": "spec.hostPID"});
        assert_eq!(fields(&pod, "a", &details, Vec::new()), [Path::from_pointer("/spec/hostPID")]);
        let gone = json!({"path": "spec.missing"});
        assert_eq!(fields(&pod, "a", &gone, Vec::new()), [Path::from_pointer("/spec/containers/0")]);
    }
}
