//! `hash.md5`, `hash.sha1` and `hash.sha256`, also without the prefix, in lower-case hexadecimal.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::library::{Cost, Function, Implementation, Library, mismatch};
use crate::{EvalError, Type, Val};

pub(super) fn library() -> Library {
    let functions: [(&str, Implementation); 6] = [
        ("md5", |_, args| digest::<Md5>(args)),
        ("hash.md5", |_, args| digest::<Md5>(args)),
        ("sha1", |_, args| digest::<Sha1>(args)),
        ("hash.sha1", |_, args| digest::<Sha1>(args)),
        ("sha256", |_, args| digest::<Sha256>(args)),
        ("hash.sha256", |_, args| digest::<Sha256>(args)),
    ];
    let functions =
        functions.map(|(name, call)| Function::global(name, [Type::String], Type::String, call).cost(Cost::Sizes));
    Library::of("kyverno.hash", functions)
}

fn digest<D: Digest>(args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(text)] = args else { return Err(mismatch("hash", args)) };
    let digits = D::digest(text.as_bytes()).iter().flat_map(|byte| [byte >> 4, byte & 15]).collect::<Vec<_>>();
    Ok(Val::from(digits.into_iter().filter_map(|digit| char::from_digit(digit.into(), 16)).collect::<String>()))
}
