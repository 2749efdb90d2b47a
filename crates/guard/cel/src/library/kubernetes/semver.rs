//! `semver('1.2.3')` and what it can be asked.

use std::cmp::Ordering;

use palisade_model::semantic_version::SemanticVersion;

use crate::library::textual::Textual;
use crate::library::{Call, Function, Library, mismatch};
use crate::{EvalError, Type, Val};

impl Textual for SemanticVersion {
    const NAME: &'static str = "kubernetes.Semver";
}

pub(super) fn library() -> Library {
    let own = SemanticVersion::cel_type;
    let pair = |name, result, call| Function::member(name, [own(), own()], result, call);
    Library::of(
        "kubernetes.Semver",
        [
            Function::global("semver", [Type::String], own(), semver),
            Function::global("semver", [Type::String, Type::Bool], own(), semver),
            Function::global("isSemver", [Type::String], Type::Bool, is_semver),
            Function::global("isSemver", [Type::String, Type::Bool], Type::Bool, is_semver),
            pair("isGreaterThan", Type::Bool, |_, args| Ok(Val::Bool(compare("isGreaterThan", args)?.is_gt()))),
            pair("isLessThan", Type::Bool, |_, args| Ok(Val::Bool(compare("isLessThan", args)?.is_lt()))),
            pair("compareTo", Type::Int, |_, args| Ok(Val::Int(compare("compareTo", args)? as i64))),
            Function::member("major", [own()], Type::Int, |_, args| number("major", args, |version| version.major)),
            Function::member("minor", [own()], Type::Int, |_, args| number("minor", args, |version| version.minor)),
            Function::member("patch", [own()], Type::Int, |_, args| number("patch", args, |version| version.patch)),
        ],
    )
}

/// The second argument asks for mending a leading `v`, leading zeroes and missing numbers first.
fn parse(function: &str, args: &[Val]) -> Result<Result<SemanticVersion, String>, EvalError> {
    match args {
        [Val::String(text)] | [Val::String(text), Val::Bool(false)] => Ok(SemanticVersion::parse(text)),
        [Val::String(text), Val::Bool(true)] => Ok(SemanticVersion::parse_normalized(text)),
        _ => Err(mismatch(function, args)),
    }
}

fn semver(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    parse("semver", args)?.map(Val::opaque).map_err(EvalError::invalid)
}

fn is_semver(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    Ok(Val::Bool(parse("isSemver", args)?.is_ok()))
}

fn compare(function: &str, args: &[Val]) -> Result<Ordering, EvalError> {
    match args {
        [a, b] => match (a.downcast::<SemanticVersion>(), b.downcast()) {
            (Some(a), Some(b)) => Ok(a.cmp(b)),
            _ => Err(mismatch(function, args)),
        },
        _ => Err(mismatch(function, args)),
    }
}

fn number(function: &str, args: &[Val], part: fn(&SemanticVersion) -> u64) -> Result<Val, EvalError> {
    SemanticVersion::receiver(function, args).map(|version| Val::Int(part(version).cast_signed()))
}
