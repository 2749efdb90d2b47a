//! cel-go's encoders extension.

use super::text_forms::{decode_base64, encode_base64};
use crate::library::mismatch;
use crate::{Cost, EvalError, Function, Library, Type, Val};

/// `base64.encode` and `base64.decode`.
pub fn library() -> Library {
    let encode = Function::global("base64.encode", [Type::Bytes], Type::String, |_, args| match args {
        [Val::Bytes(bytes)] => Ok(Val::from(encode_base64(bytes))),
        _ => Err(mismatch("base64.encode", args)),
    });
    let decode = Function::global("base64.decode", [Type::String], Type::Bytes, |_, args| match args {
        [Val::String(text)] => {
            decode_base64(text).map(Val::bytes).ok_or_else(|| EvalError::invalid("the text is not valid base64"))
        }
        _ => Err(mismatch("base64.decode", args)),
    });
    Library::of("encoders", [encode.cost(Cost::Sizes), decode.cost(Cost::Sizes)])
}
