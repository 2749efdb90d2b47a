//! Functions that match text and labels: regular expressions, wildcards, versions.

use std::borrow::Cow;

use palisade_gotext::go_regex;
use palisade_model::semantic_version::{SemanticVersion, VersionRange};
use palisade_model::wildcard;
use regex::Regex;

use super::{Answer, Arguments, QueryError};
use crate::ast::Node;

/// The regular expression of the first argument. Compiling is the dear part, so a literal keeps its compiled form.
fn regex<'a>(arguments: &'a Arguments<'_>) -> Result<Cow<'a, Regex>, QueryError> {
    let pattern = arguments.text(0)?;
    let compile = || go_regex::compile(pattern).map_err(|error| arguments.error(format_args!("failed: {error}")));
    let call = arguments.call();
    if !matches!(call.arguments.first(), Some(Node::Literal(_))) {
        arguments.charge(pattern.len())?;
        return compile().map(Cow::Owned);
    }
    if let Some(regex) = call.regex.get() {
        return Ok(Cow::Borrowed(regex));
    }
    let regex = compile()?;
    Ok(Cow::Borrowed(call.regex.get_or_init(|| regex)))
}

pub(super) fn regex_match(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.scalar_text(1, arguments.value(1)?)?;
    arguments.charge(go_regex::search_cost(arguments.text(0)?, text.len()))?;
    Ok(regex(arguments)?.is_match(&text).into())
}

pub(super) fn regex_replace_all(arguments: &Arguments<'_>) -> Answer {
    replace(arguments, go_regex::replace_all)
}

pub(super) fn regex_replace_all_literal(arguments: &Arguments<'_>) -> Answer {
    replace(arguments, |regex, text, replacement| regex.replace_all(text, regex::NoExpand(replacement)).into_owned())
}

fn replace(arguments: &Arguments<'_>, replace: fn(&Regex, &str, &str) -> String) -> Answer {
    let text = arguments.scalar_text(1, arguments.value(1)?)?;
    let replacement = arguments.scalar_text(2, arguments.value(2)?)?;
    arguments.charge(go_regex::search_cost(arguments.text(0)?, text.len()))?;
    let regex = regex(arguments)?;
    // Every group of a match may be repeated as often as the replacement asks for it.
    let groups = replacement.matches('$').count();
    arguments.charge_text(text.len().saturating_mul(1 + groups))?;
    arguments.charge_text(regex.find_iter(&text).count().saturating_mul(replacement.len()))?;
    Ok(replace(&regex, &text, &replacement).into())
}

pub(super) fn pattern_match(arguments: &Arguments<'_>) -> Answer {
    let text = arguments.scalar_text(1, arguments.value(1)?)?;
    let pattern = arguments.text(0)?;
    arguments.charge((text.len() / 16).saturating_mul(pattern.matches('*').count() + 1))?;
    Ok(wildcard::matches(pattern, &text).into())
}

/// Whether every member of the first object is in the second with the same value.
pub(super) fn label_match(arguments: &Arguments<'_>) -> Answer {
    let (wanted, labels) = (arguments.object(0)?, arguments.object(1)?);
    for (key, value) in wanted.iter() {
        arguments.charge(1)?;
        match labels.get(key) {
            Some(label) if arguments.equal(label, value)? => {}
            _ => return Ok(false.into()),
        }
    }
    Ok(true.into())
}

/// Whether a version is in a range; what is not a version counts as `0.0.0`.
pub(super) fn semver_compare(arguments: &Arguments<'_>) -> Answer {
    let range =
        VersionRange::parse(arguments.text(1)?).map_err(|error| arguments.error(format_args!("failed: {error}")))?;
    let version = SemanticVersion::parse(arguments.text(0)?).unwrap_or_default();
    Ok(range.contains(&version).into())
}
