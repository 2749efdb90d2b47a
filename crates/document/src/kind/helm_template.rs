//! Templates of Helm charts: files below `templates/` that are filled in before they are objects.
//!
//! Text, because most are no YAML before they are rendered. What does read as YAML is judged all the same, so that no
//! mark in a comment hides an object. A file below `templates/` without Helm's marks is what its name says. Absent:
//! rendering.

use super::{Form, Kind, Name, contains};
use crate::yaml::parse_yaml;

/// What Helm's templates write between braces and other templates in YAML (Argo, Kyverno) do not.
pub(crate) const HELM_MARKS: [&str; 12] = [
    "{{-",
    "{{ .",
    "{{.",
    "-}}",
    "{{ include",
    "{{ template",
    "{{ if",
    "{{ range",
    "{{ with",
    "{{/*",
    "{{ define",
    "{{ end",
];

/// See the module.
#[derive(Debug)]
pub(super) struct HelmTemplate;

impl Kind for HelmTemplate {
    fn id(&self) -> &'static str {
        "helm-template"
    }

    fn summary(&self) -> &'static str {
        "templates of Helm charts, as text where they are no YAML"
    }

    fn claims(&self, name: Name<'_>) -> bool {
        name.is_below("templates") && name.has_extension(&["yaml", "yml", "tpl", "txt"])
    }

    fn confirms(&self, head: &[u8]) -> bool {
        HELM_MARKS.iter().any(|mark| contains(head, mark))
    }

    fn form(&self) -> Form {
        Form::Template(parse_yaml)
    }

    fn advice(&self) -> Option<&'static str> {
        Some("render them first, such as with `helm template CHART | palisade check -`")
    }
}
