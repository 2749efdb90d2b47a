//! Templates that say so in their names, such as `deployment.template.yaml`, whoever fills them in.
//!
//! As with Helm's, what reads as YAML is judged and the rest is text. A file that is a template and does not say so in its
//! name or folder is a broken file of YAML. Absent: rendering.

use super::{Form, Kind, Name, contains};
use crate::yaml::parse_yaml;

/// See the module.
#[derive(Debug)]
pub(super) struct Template;

impl Kind for Template {
    fn id(&self) -> &'static str {
        "template"
    }

    fn summary(&self) -> &'static str {
        "files of YAML that are called templates, as text where they are no YAML"
    }

    fn claims(&self, name: Name<'_>) -> bool {
        name.file().contains("template") && name.has_extension(&["yaml", "yml"])
    }

    fn confirms(&self, head: &[u8]) -> bool {
        contains(head, "{{")
    }

    fn form(&self) -> Form {
        Form::Template(parse_yaml)
    }

    fn advice(&self) -> Option<&'static str> {
        Some("fill them in first and check the result")
    }
}
