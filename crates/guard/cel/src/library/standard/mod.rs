//! CEL's standard functions and macros, and cel-go's extension libraries.

mod conversions;
mod encoders;
mod format;
mod lists;
mod math;
mod optional;
mod regex;
mod sets;
mod strings;
mod text;
mod text_forms;
mod time;

pub use encoders::library as encoders;
pub use lists::library as lists;
pub use math::library as math;
pub use optional::library as optional_library;
pub use regex::library as regex;
pub use sets::library as sets;
pub use strings::library as strings;
pub use text_forms::{
    encode_base64, format_double, format_duration, format_timestamp, parse_duration, parse_timestamp,
};

use super::Library;
use crate::Type;
use crate::syntax::macros;

/// What every environment has.
pub fn library() -> Library {
    let mut functions = conversions::functions();
    functions.extend(text::functions());
    functions.extend(time::functions());
    Library { name: "standard", functions, macros: macros::STANDARD.into(), types: types(), ..Library::default() }
}

fn types() -> Vec<Type> {
    vec![
        Type::Bool,
        Type::Int,
        Type::UInt,
        Type::Double,
        Type::String,
        Type::Bytes,
        Type::Null,
        Type::Timestamp,
        Type::Duration,
        Type::list(Type::Dyn),
        Type::map(Type::Dyn, Type::Dyn),
        Type::type_of(Type::Dyn),
    ]
}

/// Comprehensions over positions or keys together with values.
pub fn two_variables() -> Library {
    Library { name: "two-variable comprehensions", macros: macros::TWO_VARIABLES.into(), ..Library::default() }
}

/// `cel.bind`.
pub fn bindings() -> Library {
    Library { name: "bindings", macros: macros::BINDINGS.into(), ..Library::default() }
}

/// `cel.block`, `cel.index`, `cel.iterVar`, `cel.accuVar`: what cel-go's optimizer writes. No policy needs it.
pub fn block() -> Library {
    Library { name: "block", macros: macros::BLOCK.into(), ..Library::default() }
}

/// What the CEL specification has otherwise than cel-go: the current strings extension, and parts of durations.
pub fn specification() -> Library {
    let mut library = strings(4);
    library.functions.push(time::milliseconds_part());
    Library { name: "specification", ..library }
}

/// cel-go's extension libraries as Kubernetes and Kyverno have them: strings, math, lists, sets, encoders, regex,
/// two-variable comprehensions, bindings.
pub fn extensions() -> Vec<Library> {
    vec![strings(2), math(), lists(), sets(), encoders(), regex(), two_variables(), bindings()]
}
