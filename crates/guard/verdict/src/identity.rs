//! What stays the same about a violation when lines move, documents change places and neighbours are inserted.
//!
//! A fingerprint is a digest of policy, rule, object and field. Elements of lists go by their name, as Kubernetes merges
//! them, because indices shift when a container is added. The file and the lines are left out, so that a fingerprint
//! survives moves and renames; whoever compares runs counts how often each occurs.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use palisade_model::{Fingerprint, Part, PolicyRef, Resource, Segment, Value};

use sha2::{Digest as _, Sha256};

use palisade_policy::RuleOutcome;

use crate::elements::Place;
use crate::finding::{About, shown_at};

/// Members that tell the elements of Kubernetes' lists apart, the most telling first.
const KEYS: [&str; 8] = ["name", "mountPath", "devicePath", "containerPort", "port", "key", "ip", "topologyKey"];

/// Who said what about whom: what all parts of a finding share.
#[derive(Debug)]
pub(crate) struct Identity<'a> {
    resource: &'a Resource,
    /// The digest over policy, rule, kind and object, to which each part adds its field.
    subject: Digester,
    message: &'a str,
    part: &'a str,
}

impl<'a> Identity<'a> {
    /// Of what `policy` answered about something.
    pub(crate) fn new(policy: &PolicyRef, outcome: &'a RuleOutcome, about: &'a About) -> Self {
        let About { resource, name, part } = about;
        let mut subject = Digester::default();
        subject.add(format_args!("{policy}\n{}\n", outcome.rule));
        if let Some(gvk) = resource.gvk() {
            subject.add(format_args!("{gvk}"));
        }
        subject.add(format_args!("\n{name}\n"));
        Self { resource, subject, message: &outcome.message, part }
    }

    /// The violation at a place, with its former names.
    pub(crate) fn part(&self, place: &Place) -> Part {
        let fingerprint = self.fingerprint(place);
        let former = |end| place.path.0.get(..end).map(|path| self.digest(path, self.said(path, ""), ["", ""]));
        let former = (0..=place.path.0.len()).rev().filter_map(former).filter(|former| *former != fingerprint);
        let path = StablePath(&place.path.0, &self.resource.object).to_string().into();
        let location = self.resource.locate(&shown_at(self.resource, &place.path));
        Part { path, fingerprint, formerly: former.collect(), shown: place.path.to_string().into(), location }
    }

    /// What names the violation at a place: the field, which of the rule's voices, the part of the file where it has
    /// several, and what the field holds where its elements could not be told apart.
    pub(crate) fn fingerprint(&self, place: &Place) -> Fingerprint {
        let voice = self.masked(place);
        self.digest(
            &place.path.0,
            self.said(&place.path.0, &voice),
            [self.part, place.holding.as_deref().unwrap_or_default()],
        )
    }

    /// Where no field is named, the message tells violations of one rule apart.
    fn said<'s>(&'s self, path: &[Segment], voice: &'s str) -> &'s str {
        if path.is_empty() { self.message } else { voice }
    }

    /// The voice without the value of the field, which may change: another tag without a digest is no other violation.
    fn masked<'p>(&self, place: &'p Place) -> Cow<'p, str> {
        let value = place.path.resolve(&self.resource.object).and_then(scalar);
        match value.filter(|value| !value.is_empty() && place.voice.contains(&**value)) {
            Some(value) => Cow::Owned(place.voice.replace(&*value, "_")),
            None => Cow::Borrowed(&place.voice),
        }
    }

    fn digest(&self, path: &[Segment], said: &str, further: [&str; 2]) -> Fingerprint {
        let mut digester = self.subject.clone();
        digester.add(format_args!("{}\n{said}", StablePath(path, &self.resource.object)));
        // What most violations have none of adds nothing, so that their names stay what they were.
        let [part, holding] = further;
        if !part.is_empty() || !holding.is_empty() {
            digester.add(format_args!("\n{part}\n{holding}"));
        }
        let mut half = [0; 16];
        half.iter_mut().zip(digester.0.finalize()).for_each(|(to, from)| *to = from);
        Fingerprint(half)
    }
}

/// A digest that texts are written into as they come, because a run makes hundreds of thousands of them.
#[derive(Clone, Debug, Default)]
struct Digester(Sha256);

impl Digester {
    fn add(&mut self, text: fmt::Arguments<'_>) {
        // Writing into a digest cannot fail.
        let _ = self.write_fmt(text);
    }
}

impl fmt::Write for Digester {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

/// A path within an object, shown with list elements by name: `spec.containers[web].image`.
struct StablePath<'a>(&'a [Segment], &'a Value);

impl fmt::Display for StablePath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut here = Some(self.1);
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) => {
                    segment.write(position == 0, f)?;
                    here = here.and_then(|value| value.get(key));
                }
                Segment::Index(index) => {
                    let items = here.and_then(Value::as_array).unwrap_or_default();
                    match items.get(*index).and_then(name_of) {
                        Some(name) => write_name(&name, items, *index, f)?,
                        None => write!(f, "[{index}]")?,
                    }
                    here = items.get(*index);
                }
            }
        }
        Ok(())
    }
}

/// `[name]`; a number behind it tells apart elements that share a name.
fn write_name(name: &str, items: &[Value], index: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match items.iter().take(index).filter(|item| name_of(item).is_some_and(|other| other == name)).count() {
        0 => write!(f, "[{name}]"),
        before => write!(f, "[{name}#{}]", before + 1),
    }
}

fn name_of(element: &Value) -> Option<Cow<'_, str>> {
    match element {
        Value::Object(map) => KEYS.iter().find_map(|key| scalar(map.get(key)?)),
        other => scalar(other),
    }
}

fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => Some(Cow::Owned(value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use palisade_model::{Path, Verdict};

    use super::*;
    use palisade_policy::Phase;

    fn pod(containers: &str) -> Resource {
        let text = format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p"}},"spec":{{"containers":{containers}}}}}"#
        );
        Resource::in_memory(Value::from_json(&text).unwrap())
    }

    fn part(resource: &Resource, path: &str, message: &str) -> Part {
        let policy = PolicyRef { kind: "ClusterPolicy".into(), namespace: None, name: "p".into(), digest: "".into() };
        let outcome = RuleOutcome::new("r", Phase::Validate, Verdict::Fail, message);
        let place = Place::new(Path::from_pointer(path), &"".into());
        let about = About { resource: resource.clone(), name: resource.to_string().into(), part: "".into() };
        Identity::new(&policy, &outcome, &about).part(&place)
    }

    #[test]
    fn elements_go_by_name_so_that_insertions_change_nothing() {
        let before = part(&pod(r#"[{"name":"web"}]"#), "/spec/containers/0/image", "");
        let after = part(&pod(r#"[{"name":"log"},{"name":"web"}]"#), "/spec/containers/1/image", "other words");
        assert_eq!((&before.path, before.fingerprint), (&after.path, after.fingerprint));
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
        assert_eq!(before.fingerprint, part(&role(r#"["get","*"]"#), "/verbs/1", "").fingerprint);
    }
}
