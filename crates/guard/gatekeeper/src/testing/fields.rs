//! Reading the fields of a suite: strictly, because a field that is passed over would leave something untested.

use palisade_cel::admission::{Node, Reader, ReaderCodes};

use crate::codes;

/// A suite that holds a field which does not exist would test something else than was meant, so all are errors.
pub(super) const READER: ReaderCodes = ReaderCodes {
    wrong_type: codes::INVALID_SUITE,
    missing_field: codes::INVALID_SUITE,
    unknown_field: codes::INVALID_SUITE,
    unknown_name: codes::INVALID_SUITE,
};

/// A text, empty where there is none.
pub(super) fn text(reader: &mut Reader<'_>, node: &Node<'_>, key: &str) -> String {
    reader.text(node, key).as_deref().unwrap_or_default().to_owned()
}

/// A text that must be there.
pub(super) fn required(reader: &mut Reader<'_>, node: &Node<'_>, key: &str) -> String {
    reader.required_text(node, key).as_deref().unwrap_or_default().to_owned()
}

/// Reports members that do not exist, as errors.
pub(super) fn known(reader: &mut Reader<'_>, node: &Node<'_>, fields: &[&str]) {
    let Some(map) = node.value.as_object() else {
        let message = format!("`{}` must be an object, not {}", node.path, node.value.type_name());
        return reader.error(codes::INVALID_SUITE, &node.path, message, "write it as the reference of suites shows");
    };
    for key in map.keys().filter(|key| !fields.contains(&&***key)) {
        let help = format!("known here are {}", fields.join(", "));
        reader.error(codes::INVALID_SUITE, &node.path.child(&**key), format!("unknown field `{key}`"), &help);
    }
}
