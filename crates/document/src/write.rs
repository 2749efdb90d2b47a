//! Prints values as YAML (signatures first; the bodies follow).

use palisade_model::Value;

/// Block style YAML as kubectl prints it, keys in document order.
pub fn to_yaml(value: &Value) -> String {
    value.to_json()
}
