//! What stays the same about a violation when lines move, documents change places and neighbours are inserted.
//!
//! A fingerprint is a digest of policy, rule, object and field. Elements of lists go by their name, as Kubernetes merges
//! them, because indices shift when a container is added. The file and the lines are left out, so that a fingerprint
//! survives moves and renames; whoever compares runs counts how often each occurs.

use std::fmt::Write as _;

use palisade_model::{Fingerprint, Part, Path, PolicyRef, Resource, Segment, Value};

use crate::RuleOutcome;
use crate::policy::sha256;

/// Members that tell the elements of Kubernetes' lists apart, the most telling first.
const KEYS: [&str; 8] = ["name", "mountPath", "devicePath", "containerPort", "port", "key", "ip", "topologyKey"];

/// Who said what about whom: what all parts of a finding share.
#[derive(Debug)]
pub(crate) struct Identity<'a> {
    resource: &'a Resource,
    subject: String,
    message: &'a str,
}

impl<'a> Identity<'a> {
    /// Of what `policy` answered about `resource`, which is shown as `name`.
    pub(crate) fn new(policy: &PolicyRef, outcome: &'a RuleOutcome, resource: &'a Resource, name: &str) -> Self {
        let gvk = resource.gvk().map(|gvk| gvk.to_string()).unwrap_or_default();
        Self { resource, subject: format!("{policy}\n{}\n{gvk}\n{name}", outcome.rule), message: &outcome.message }
    }

    /// The violation in the field at `path`. Where no field is named, the message tells violations of one rule apart.
    pub(crate) fn part(&self, path: &Path) -> Part {
        let shown = stable_path(path, &self.resource.object);
        let said = if path.is_root() { self.message } else { "" };
        let digest = sha256(&format!("{}\n{shown}\n{said}", self.subject));
        let mut half = [0; 16];
        half.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        Part { path: shown.into(), fingerprint: Fingerprint(half) }
    }
}

/// The path with list elements by name: `spec.containers[web].image`.
fn stable_path(path: &Path, root: &Value) -> String {
    let mut shown = String::new();
    let mut here = Some(root);
    let mut keys = Vec::new();
    for segment in &path.0 {
        match segment {
            Segment::Key(_) => keys.push(segment.clone()),
            Segment::Index(index) => {
                flush(&mut keys, &mut shown);
                let named = here.and_then(Value::as_array).and_then(|items| element_name(items, *index));
                let _ = match named {
                    Some(name) => write!(shown, "[{name}]"),
                    None => write!(shown, "[{index}]"),
                };
            }
        }
        here = here.and_then(|value| match segment {
            Segment::Key(key) => value.get(key),
            Segment::Index(index) => value.at(*index),
        });
    }
    flush(&mut keys, &mut shown);
    shown
}

/// Writes collected keys as a path does.
fn flush(keys: &mut Vec<Segment>, shown: &mut String) {
    if keys.is_empty() {
        return;
    }
    let text = Path(std::mem::take(keys)).to_string();
    if !shown.is_empty() && !text.starts_with('[') {
        shown.push('.');
    }
    shown.push_str(&text);
}

/// What the element at `index` is called; a number behind it tells apart the ones that share a name.
fn element_name(items: &[Value], index: usize) -> Option<String> {
    let name = name_of(items.get(index)?)?;
    let before = items.iter().take(index).filter(|item| name_of(item).as_ref() == Some(&name)).count();
    Some(if before == 0 { name } else { format!("{name}#{}", before + 1) })
}

fn name_of(element: &Value) -> Option<String> {
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(text.to_string()),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    match element {
        Value::Object(map) => KEYS.iter().find_map(|key| scalar(map.get(key)?)),
        other => scalar(other),
    }
}

#[cfg(test)]
mod tests {
    use palisade_model::Verdict;

    use super::*;
    use crate::Phase;

    fn pod(containers: &str) -> Resource {
        let text = format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p"}},"spec":{{"containers":{containers}}}}}"#
        );
        Resource::in_memory(Value::from_json(&text).unwrap())
    }

    fn part(resource: &Resource, path: &str, message: &str) -> Part {
        let policy = PolicyRef { kind: "ClusterPolicy".into(), namespace: None, name: "p".into(), digest: "".into() };
        let outcome = RuleOutcome::new("r", Phase::Validate, Verdict::Fail, message);
        Identity::new(&policy, &outcome, resource, &resource.to_string()).part(&Path::from_pointer(path))
    }

    #[test]
    fn elements_go_by_name_so_that_insertions_change_nothing() {
        let before = part(&pod(r#"[{"name":"web"}]"#), "/spec/containers/0/image", "");
        let after = part(&pod(r#"[{"name":"log"},{"name":"web"}]"#), "/spec/containers/1/image", "other words");
        assert_eq!(before, after);
        assert_eq!(&*after.path, "spec.containers[web].image");
        let ports = pod(r#"[{"ports":[{"containerPort":80}]}]"#);
        assert_eq!(&*part(&ports, "/spec/containers/0/ports/0", "").path, "spec.containers[0].ports[80]");
        assert_eq!(&*part(&ports, "/metadata/labels/a.b~1c", "").path, r#"metadata.labels["a.b/c"]"#);
    }

    #[test]
    fn equal_mistakes_in_one_object_stay_apart() {
        let twins = pod(r#"[{"name":"web"},{"name":"web"},{"name":"log"}]"#);
        let paths = ["/spec/containers/0/image", "/spec/containers/1/image", "/spec/containers/2/image", ""];
        let prints: std::collections::BTreeSet<_> =
            paths.iter().map(|path| part(&twins, path, "").fingerprint).collect();
        assert_eq!(prints.len(), 4);
        assert_ne!(part(&twins, "", "container web").fingerprint, part(&twins, "", "container log").fingerprint);
    }

    #[test]
    fn scalars_of_a_list_are_their_own_names() {
        let role = |verbs: &str| Resource::in_memory(Value::from_json(&format!(r#"{{"verbs":{verbs}}}"#)).unwrap());
        let before = part(&role(r#"["*"]"#), "/verbs/0", "");
        assert_eq!(before, part(&role(r#"["get","*"]"#), "/verbs/1", ""));
    }
}
