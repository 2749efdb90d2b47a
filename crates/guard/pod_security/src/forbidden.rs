//! What a check says of a pod that it forbids, in the words of Kubernetes and Kyverno.

use std::collections::BTreeSet;

use palisade_gotext::go_sprint::sprint;
use palisade_model::{Path, Segment, Value};

use super::pod::{Container, Pod, Security};

/// The answer of a check that forbids a pod.
#[derive(Clone, Debug)]
pub(super) struct Forbidden<'a> {
    pub(super) reason: &'static str,
    pub(super) detail: String,
    pub(super) fields: Vec<Field<'a>>,
}

/// An offending field.
#[derive(Clone, Debug)]
pub(super) struct Field<'a> {
    /// Where, in the pod.
    pub(super) path: Path,
    /// The path with every number replaced by `*`, as exclusions name fields.
    pub(super) general: String,
    pub(super) bad: Bad,
    /// Name and image of the container it belongs to.
    pub(super) container: Option<(&'a str, &'a str)>,
}

/// What is wrong with a field.
#[derive(Clone, Debug)]
pub(super) enum Bad {
    /// It is required and missing.
    Missing,
    /// It may not be there.
    Present,
    /// It may not have this value.
    Value(Value),
}

impl Bad {
    pub(super) fn values<'v>(values: impl IntoIterator<Item = &'v str>) -> Self {
        let sorted: BTreeSet<&str> = values.into_iter().collect();
        Self::Value(Value::array(sorted.into_iter().map(Value::from).collect::<Vec<_>>()))
    }

    /// The offending values as printed, which exclusions are compared with.
    pub(super) fn words(&self) -> Vec<String> {
        match self {
            Self::Value(Value::Array(items)) => items.iter().map(sprint).collect(),
            Self::Value(value) if value.as_str() != Some("") => vec![sprint(value)],
            Self::Missing | Self::Present | Self::Value(_) => Vec::new(),
        }
    }
}

impl<'a> Field<'a> {
    pub(super) fn of_pod(path: impl IntoIterator<Item = Segment>, bad: Bad) -> Self {
        Self::new(path.into_iter().collect(), bad, None)
    }

    pub(super) fn of_container(container: &Container<'a>, fields: &[Segment], bad: Bad) -> Self {
        Self::new(container.path(fields), bad, Some((container.name, container.image)))
    }

    fn new(path: Path, bad: Bad, container: Option<(&'a str, &'a str)>) -> Self {
        let mut general = String::new();
        for letter in path_text(&path).chars() {
            match (letter.is_ascii_digit(), general.ends_with('*')) {
                (true, true) => {}
                (true, false) => general.push('*'),
                (false, _) => general.push(letter),
            }
        }
        Self { path, general, bad, container }
    }

    /// Kyverno's words for the field at `path` in the object that was judged.
    pub(super) fn message(&self, path: &Path) -> String {
        let path = path_text(path);
        match &self.bad {
            Bad::Missing => format!("{path}: Required value"),
            Bad::Value(value) if value.as_str() != Some("") => {
                format!("{path} is forbidden, forbidden values found: {}", sprint(value))
            }
            Bad::Present | Bad::Value(_) => format!("{path}: Forbidden"),
        }
    }
}

/// A path as Kubernetes prints field paths: annotation keys in brackets without quotes.
fn path_text(path: &Path) -> String {
    let mut text = String::new();
    for segment in &path.0 {
        match segment {
            Segment::Index(index) => text.extend(["[", &index.to_string(), "]"]),
            Segment::Key(key) if key.contains(['.', '/']) => text.extend(["[", key, "]"]),
            Segment::Key(key) if text.is_empty() => text.push_str(key),
            Segment::Key(key) => text.extend([".", key]),
        }
    }
    text
}

/// The steps from a pod or container to a setting of its security context.
pub(super) fn security_path(fields: &[&str]) -> Vec<Segment> {
    std::iter::once("securityContext").chain(fields.iter().copied()).map(Segment::from).collect()
}

/// Containers and their offending fields.
#[derive(Default)]
pub(super) struct Offenders<'a> {
    pub(super) names: Vec<&'a str>,
    pub(super) fields: Vec<Field<'a>>,
}

impl<'a> Offenders<'a> {
    /// The containers for whose `fields` of the security context `judge` finds something wrong.
    pub(super) fn find(pod: &Pod<'a>, fields: &[&str], judge: impl Fn(&Container<'a>) -> Option<Bad>) -> Self {
        let path = security_path(fields);
        let mut offenders = Self::default();
        for container in &pod.containers {
            if let Some(bad) = judge(container) {
                offenders.add(container, [Field::of_container(container, &path, bad)]);
            }
        }
        offenders
    }

    pub(super) fn add(&mut self, container: &Container<'a>, fields: impl IntoIterator<Item = Field<'a>>) {
        self.names.push(container.name);
        self.fields.extend(fields);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// `container "a"` or `containers "a", "b"`.
    pub(super) fn described(&self) -> String {
        format!("{} {}", plural(self.names.len(), "container", "containers"), quoted(self.names.iter().copied()))
    }

    pub(super) fn forbidden(self, reason: &'static str, detail: String) -> Option<Forbidden<'a>> {
        (!self.is_empty()).then_some(Forbidden { reason, detail, fields: self.fields })
    }
}

/// The pod itself and its containers, where they set a bad value.
pub(super) struct Setters<'a> {
    pub(super) words: Vec<String>,
    pub(super) fields: Vec<Field<'a>>,
}

impl<'a> Setters<'a> {
    /// Judges one setting of the security context of the pod and of each container.
    pub(super) fn find(pod: &Pod<'a>, fields: &[&str], judge: impl Fn(&Security<'a>) -> Option<Bad>) -> Self {
        let mut setters = Self { words: Vec::new(), fields: Vec::new() };
        if let Some(bad) = judge(&pod.security) {
            let path = std::iter::once("spec".into()).chain(security_path(fields));
            setters.add("pod".to_owned(), [Field::of_pod(path, bad)]);
        }
        setters.add_containers(Offenders::find(pod, fields, |container| judge(&container.security)));
        setters
    }

    pub(super) fn add(&mut self, word: String, fields: impl IntoIterator<Item = Field<'a>>) {
        self.words.push(word);
        self.fields.extend(fields);
    }

    pub(super) fn add_containers(&mut self, offenders: Offenders<'a>) {
        if !offenders.is_empty() {
            self.add(offenders.described(), offenders.fields);
        }
    }

    /// The distinct bad values, sorted.
    pub(super) fn values(&self) -> BTreeSet<String> {
        let value = |field: &Field<'a>| match &field.bad {
            Bad::Value(value) => Some(sprint(value)),
            Bad::Missing | Bad::Present => None,
        };
        self.fields.iter().filter_map(value).collect()
    }

    pub(super) fn described(&self) -> String {
        self.words.join(" and ")
    }

    pub(super) fn forbidden(self, reason: &'static str, detail: String) -> Option<Forbidden<'a>> {
        (!self.words.is_empty()).then_some(Forbidden { reason, detail, fields: self.fields })
    }
}

pub(super) fn plural(count: usize, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

pub(super) fn quoted<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| format!("\"{}\"", item.as_ref())).collect();
    items.join(", ")
}
