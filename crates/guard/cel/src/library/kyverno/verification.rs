//! The functions of ImageValidatingPolicies that verify signatures. They compile and always fail: a policy that relies
//! on a signature must not pass before signatures are verified.

use crate::library::{Call, Function, Library};
use crate::{EvalError, Type, Val};

/// `verifyImageSignatures`, `verifyAttestationSignatures`, `getImageData` and `extractPayload`.
pub fn library() -> Library {
    let function = |name, params: Vec<Type>, result| Function::global(name, params, result, unsupported).contextual();
    let attestors = || Type::list(Type::Dyn);
    Library::of(
        "kyverno.imageverify",
        [
            function("verifyImageSignatures", vec![Type::String, attestors()], Type::Int),
            function("verifyAttestationSignatures", vec![Type::String, Type::String, attestors()], Type::Int),
            function("getImageData", vec![Type::String], Type::Dyn),
            function("extractPayload", vec![Type::String, Type::String], Type::Dyn),
        ],
    )
}

fn unsupported(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let image = args.first().and_then(Val::as_str).unwrap_or_default();
    Err(EvalError::invalid(format_args!(
        "image signatures are not verified yet: signature verification arrives in a later release, so `{image}` cannot be judged"
    )))
}
