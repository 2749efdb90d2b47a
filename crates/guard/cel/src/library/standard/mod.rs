//! CEL's standard functions and macros, and cel-go's extension libraries.

mod text_forms;

pub use text_forms::{encode_base64, format_duration, format_timestamp};

use super::Library;

/// What every environment has.
pub fn library() -> Library {
    Library::of("standard", [])
}

/// Optional values: `optional.of`, `orValue`, `optMap` and their kin.
pub fn optional_library() -> Library {
    Library::of("optional", [])
}

/// cel-go's extension libraries: strings, math, lists, sets, encoders, regex, two-variable comprehensions, bindings.
pub fn extensions() -> Vec<Library> {
    Vec::new()
}
