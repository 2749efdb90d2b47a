//! The functions that expressions may call: JMESPath's own and Kyverno's, in one table.

mod arguments;
mod arithmetic;
mod collections;
mod encoding;
mod image;
mod matching;
mod numbers;
mod random;
#[cfg(test)]
mod tests;
mod text;
mod time;

use palisade_model::Value;

pub(super) use arguments::{Argument, Arguments};

use super::QueryError;

/// What a function answers.
type Answer = Result<Value, QueryError>;

/// A kind of argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Any,
    Number,
    String,
    Array,
    Object,
    /// An array of numbers.
    Numbers,
    /// An array of strings.
    Strings,
    /// `&expression`.
    Expression,
}

use Kind::{Any, Array, Expression, Number, Numbers, Object, String, Strings};

/// How many arguments a function takes.
#[derive(Clone, Copy, Debug)]
enum Arity {
    /// One per entry, each of one of the kinds.
    Exact(&'static [&'static [Kind]]),
    /// At least so many, of any kind.
    AtLeast(usize),
}

/// A function: its name, what it takes and how it answers.
#[derive(Debug)]
pub(super) struct Function {
    name: &'static str,
    arity: Arity,
    run: fn(&Arguments<'_>) -> Answer,
}

impl Function {
    /// The function called `name`.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        FUNCTIONS.iter().find(|function| function.name == name)
    }

    /// What is wrong with a call of so many arguments.
    pub(super) fn misfit(&self, given: usize) -> Option<std::string::String> {
        let name = self.name;
        match self.arity {
            Arity::Exact(kinds) if kinds.len() != given => {
                Some(format!("function `{name}` takes {} arguments, not {given}", kinds.len()))
            }
            Arity::AtLeast(least) if given < least => {
                Some(format!("function `{name}` takes at least {least} arguments"))
            }
            _ => None,
        }
    }
}

/// That there is no such function, with the nearest one that there is.
pub(super) fn unknown(name: &str) -> std::string::String {
    match palisade_model::nearest(name, FUNCTIONS.iter().map(|function| function.name)) {
        Some(near) => format!("unknown function `{name}`, did you mean `{near}`?"),
        None => format!("unknown function `{name}`"),
    }
}

const fn function(
    name: &'static str,
    takes: &'static [&'static [Kind]],
    run: fn(&Arguments<'_>) -> Answer,
) -> Function {
    Function { name, arity: Arity::Exact(takes), run }
}

const fn variadic(name: &'static str, least: usize, run: fn(&Arguments<'_>) -> Answer) -> Function {
    Function { name, arity: Arity::AtLeast(least), run }
}

const TEXT: &[Kind] = &[String];
const TEXT_OR_NUMBER: &[Kind] = &[String, Number];
const COMPARABLES: &[Kind] = &[Numbers, Strings];
const ANY: &[Kind] = &[Any];
const NUMBER: &[Kind] = &[Number];
const ARRAY: &[Kind] = &[Array];
const OBJECT: &[Kind] = &[Object];
const EXPRESSION: &[Kind] = &[Expression];
const CONTAINER: &[Kind] = &[Object, Array];

static FUNCTIONS: &[Function] = &[
    // JMESPath's own.
    function("abs", &[NUMBER], numbers::abs),
    function("avg", &[&[Numbers]], numbers::avg),
    function("ceil", &[NUMBER], numbers::ceil),
    function("contains", &[&[Array, String], ANY], collections::contains),
    function("ends_with", &[TEXT, TEXT], text::ends_with),
    function("floor", &[NUMBER], numbers::floor),
    function("join", &[TEXT, &[Strings]], text::join),
    function("keys", &[OBJECT], collections::keys),
    function("length", &[&[String, Array, Object]], collections::length),
    function("map", &[EXPRESSION, ARRAY], collections::map),
    function("max", &[COMPARABLES], collections::max),
    function("max_by", &[ARRAY, EXPRESSION], collections::max_by),
    variadic("merge", 1, collections::merge),
    function("min", &[COMPARABLES], collections::min),
    function("min_by", &[ARRAY, EXPRESSION], collections::min_by),
    variadic("not_null", 1, collections::not_null),
    function("reverse", &[&[Array, String]], collections::reverse),
    function("sort", &[&[Strings, Numbers]], collections::sort),
    function("sort_by", &[ARRAY, EXPRESSION], collections::sort_by),
    function("starts_with", &[TEXT, TEXT], text::starts_with),
    function("to_array", &[ANY], collections::to_array),
    function("to_number", &[ANY], numbers::to_number),
    function("to_string", &[ANY], encoding::to_string),
    function("type", &[ANY], collections::type_of),
    function("values", &[OBJECT], collections::values),
    // Kyverno's: text.
    function("compare", &[TEXT, TEXT], text::compare),
    function("equal_fold", &[TEXT, TEXT], text::equal_fold),
    function("path_canonicalize", &[TEXT], text::path_canonicalize),
    function("random", &[TEXT], random::random),
    function("replace", &[TEXT, TEXT, TEXT, NUMBER], text::replace),
    function("replace_all", &[TEXT, TEXT, TEXT], text::replace_all),
    function("split", &[TEXT, TEXT], text::split),
    function("to_boolean", &[TEXT], text::to_boolean),
    function("to_lower", &[TEXT], text::to_lower),
    function("to_upper", &[TEXT], text::to_upper),
    function("trim", &[TEXT, TEXT], text::trim),
    function("trim_prefix", &[TEXT, TEXT], text::trim_prefix),
    function("truncate", &[TEXT, NUMBER], text::truncate),
    // Matching.
    function("label_match", &[OBJECT, OBJECT], matching::label_match),
    function("pattern_match", &[TEXT, TEXT_OR_NUMBER], matching::pattern_match),
    function("regex_match", &[TEXT, TEXT_OR_NUMBER], matching::regex_match),
    function("regex_replace_all", &[TEXT, TEXT_OR_NUMBER, TEXT_OR_NUMBER], matching::regex_replace_all),
    function("regex_replace_all_literal", &[TEXT, TEXT_OR_NUMBER, TEXT_OR_NUMBER], matching::regex_replace_all_literal),
    function("semver_compare", &[TEXT, TEXT], matching::semver_compare),
    // Arithmetic over numbers, quantities and durations.
    function("add", &[ANY, ANY], arithmetic::add),
    function("divide", &[ANY, ANY], arithmetic::divide),
    function("modulo", &[ANY, ANY], arithmetic::modulo),
    function("multiply", &[ANY, ANY], arithmetic::multiply),
    function("round", &[NUMBER, NUMBER], numbers::round),
    function("subtract", &[ANY, ANY], arithmetic::subtract),
    function("sum", &[ARRAY], arithmetic::sum),
    // Objects and lists.
    function("items", &[CONTAINER, TEXT, TEXT], collections::items),
    function("lookup", &[CONTAINER, TEXT_OR_NUMBER], collections::lookup),
    function("object_from_lists", &[ARRAY, ARRAY], collections::object_from_lists),
    // Encodings.
    function("base64_decode", &[TEXT], encoding::base64_decode),
    function("base64_encode", &[TEXT], encoding::base64_encode),
    function("md5", &[TEXT], encoding::md5),
    function("parse_json", &[TEXT], encoding::parse_json),
    function("parse_yaml", &[TEXT], encoding::parse_yaml),
    function("sha1", &[TEXT], encoding::sha1),
    function("sha256", &[TEXT], encoding::sha256),
    function("x509_decode", &[TEXT], encoding::x509_decode),
    // Images and addresses.
    function("image_normalize", &[TEXT], image::image_normalize),
    function("is_external_url", &[TEXT], image::is_external_url),
    // Time.
    function("time_add", &[TEXT, TEXT], time::add),
    function("time_after", &[TEXT, TEXT], time::after),
    function("time_before", &[TEXT, TEXT], time::before),
    function("time_between", &[TEXT, TEXT, TEXT], time::between),
    function("time_diff", &[TEXT, TEXT], time::diff),
    variadic("time_now", 0, time::now),
    variadic("time_now_utc", 0, time::now),
    function("time_parse", &[TEXT, TEXT], time::parse),
    function("time_since", &[TEXT, TEXT, TEXT], time::since),
    function("time_to_cron", &[TEXT], time::to_cron),
    function("time_truncate", &[TEXT, TEXT], time::truncate),
    function("time_utc", &[TEXT], time::utc),
];
