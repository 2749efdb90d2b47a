//! `image.GetMetadata(reference)`: manifest and configuration of an image.

use super::handle::Handle;
use crate::library::{Call, Function, Library, mismatch};
use crate::{EvalError, Type, Val};

const TYPE: &str = "imagedata.Context";

pub(super) fn library() -> Library {
    let functions = ["GetMetadata", "getMetadata"]
        .map(|name| Function::member(name, [Type::opaque(TYPE), Type::String], Type::Dyn, get_metadata).contextual());
    Library { constants: vec![("image", Handle::value(TYPE))], ..Library::of("kyverno.imagedata", functions) }
}

fn get_metadata(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [_, Val::String(image)] = args else { return Err(mismatch("GetMetadata", args)) };
    let data = call.environment()?.lookups.image(image);
    data.map(Val::from).map_err(|error| EvalError::invalid(format_args!("failed to get image data: {error}")))
}
