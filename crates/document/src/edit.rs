//! Changes a document in its text (signatures first; the bodies follow).

use std::sync::Arc;

use palisade_model::{Source, Value};

use crate::Document;

/// Why a document could not be edited.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The edited text would not read back as the wanted value.
    #[error("editing `{name}` in place would not give the wanted document")]
    Mismatch {
        /// The file.
        name: String,
    },
}

/// The text of the whole source with `document` changed to `new`.
pub fn apply(document: &Document, new: &Value) -> Result<String, EditError> {
    apply_all(&document.source, &[(document.clone(), new.clone())])
}

/// The text of `source` with each of its documents changed.
pub fn apply_all(source: &Arc<Source>, _changes: &[(Document, Value)]) -> Result<String, EditError> {
    Err(EditError::Mismatch { name: source.name().to_owned() })
}
