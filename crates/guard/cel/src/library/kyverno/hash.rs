//! `hash.md5`, `hash.sha1` and `hash.sha256`, also without the prefix, in lower-case hexadecimal.

use palisade_crypto::Hash;
use palisade_model::hex;

use crate::library::{Cost, Function, Implementation, Library, mismatch};
use crate::{EvalError, Type, Val};

pub(super) fn library() -> Library {
    let functions: [(&str, Implementation); 6] = [
        ("md5", |_, args| digest(Hash::Md5, args)),
        ("hash.md5", |_, args| digest(Hash::Md5, args)),
        ("sha1", |_, args| digest(Hash::Sha1, args)),
        ("hash.sha1", |_, args| digest(Hash::Sha1, args)),
        ("sha256", |_, args| digest(Hash::Sha256, args)),
        ("hash.sha256", |_, args| digest(Hash::Sha256, args)),
    ];
    let functions =
        functions.map(|(name, call)| Function::global(name, [Type::String], Type::String, call).cost(Cost::Sizes));
    Library::of("kyverno.hash", functions)
}

fn digest(hash: Hash, args: &[Val]) -> Result<Val, EvalError> {
    let [Val::String(text)] = args else { return Err(mismatch("hash", args)) };
    Ok(Val::from(hex(&hash.digest(&[text.as_bytes()]))))
}
