//! YAML that is no Kubernetes object: values files, workflows, configuration of any program.
//!
//! A document is a part of its file. Absent: what its keys mean.

use super::{Form, Kind, Name};
use crate::decode::parse_source;

/// See the module.
#[derive(Debug)]
pub(super) struct Yaml;

impl Kind for Yaml {
    fn id(&self) -> &'static str {
        "yaml"
    }

    fn summary(&self) -> &'static str {
        "YAML documents that are no Kubernetes objects"
    }

    fn claims(&self, name: Name<'_>) -> bool {
        name.has_extension(&["yaml", "yml"])
    }

    fn form(&self) -> Form {
        Form::Tree(parse_source)
    }
}
