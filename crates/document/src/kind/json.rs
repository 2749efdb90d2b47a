//! JSON that is no Kubernetes object, read strictly.
//!
//! A document is a part of its file, of which JSON Lines have several. Absent: comments and trailing commas.

use super::{Form, Kind, Name};
use crate::json::parse_json;

/// See the module.
#[derive(Debug)]
pub(super) struct Json;

impl Kind for Json {
    fn id(&self) -> &'static str {
        "json"
    }

    fn summary(&self) -> &'static str {
        "JSON documents that are no Kubernetes objects"
    }

    fn claims(&self, name: Name<'_>) -> bool {
        name.has_extension(&["json"])
    }

    fn form(&self) -> Form {
        Form::Tree(parse_json)
    }
}
