//! Members that a schema does not know. The API server would drop them, Gatekeeper refuses them.

use palisade_model::{Path, Segment, Value};

use super::{Additional, Schema};

/// What every object of a cluster has.
const OBJECT_FIELDS: [&str; 3] = ["apiVersion", "kind", "metadata"];

impl Schema {
    /// The paths of members that are neither declared nor let through.
    pub(crate) fn unknown_fields(&self, value: &Value, path: &Path) -> Vec<Path> {
        let mut found = Vec::new();
        self.collect_unknown(value, path, &mut found);
        found
    }

    fn collect_unknown(&self, value: &Value, path: &Path, found: &mut Vec<Path>) {
        match value {
            Value::Object(map) => {
                for (name, member) in map.iter() {
                    let path = path.child(&**name);
                    match (self.property(name), &self.additional) {
                        (Some(schema), _) => schema.collect_unknown(member, &path, found),
                        (None, Additional::Of(schema)) => schema.collect_unknown(member, &path, found),
                        (None, Additional::Allowed(true)) => {}
                        _ if self.preserve_unknown => {}
                        _ if self.embedded && OBJECT_FIELDS.contains(&&**name) => {}
                        _ => found.push(path),
                    }
                }
            }
            Value::Array(items) => {
                let Some(schema) = &self.items else { return };
                for (index, item) in items.iter().enumerate() {
                    schema.collect_unknown(item, &path.child(Segment::Index(index)), found);
                }
            }
            _ => {}
        }
    }
}
