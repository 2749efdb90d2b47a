//! Runs the files of OPA's compliance suite: `cases` of modules, a query, documents and what is wanted.
//!
//! A case is judged as OPA's own driver does: the solutions of the query are a set of bindings in JSON, errors are
//! wanted by their code and a part of their text, and what does not compile fails. Deliberately absent: the compiled
//! plans that the suite carries for other engines, and `v0` cases, which its files do not tell apart.

use std::sync::Arc;

use jiff::Timestamp;
use palisade_model::{Diagnostic, Source, Str};
use palisade_rego::Program;
use palisade_rego::compile::{CompileOptions, compile};
use palisade_rego::machine::{EvalError, Inputs, Machine};
use palisade_rego::syntax::ast::{Module, Version};
use palisade_rego::syntax::parse;
use palisade_rego_builtins::Host;
use palisade_rego_value::{Array, Object, Value};

/// The moment of all evaluations: after the dates of which the suite expects that they are past.
const NOW: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// One case of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CaseOutcome {
    /// Its name, such as `withkeyword/with rule chain`.
    pub(crate) note: String,
    /// What came out instead of what is wanted; `None` where it passed.
    pub(crate) failure: Option<String>,
}

/// Runs every case of a file. An error means that the file cannot be read.
pub(crate) fn run_file(text: &str) -> Result<Vec<CaseOutcome>, String> {
    let file = Value::from_json(text)?;
    let cases = file.get_str("cases").and_then(Value::as_array).ok_or("the file has no `cases`")?;
    Ok(cases.iter().map(run_case).collect())
}

fn run_case(case: &Value) -> CaseOutcome {
    let note = text(case, "note").unwrap_or_default().to_owned();
    CaseOutcome { note, failure: judge(case).err() }
}

fn text<'a>(case: &'a Value, key: &str) -> Option<&'a str> {
    case.get_str(key)?.as_str()
}

fn judge(case: &Value) -> Result<(), String> {
    let modules = modules(case)?;
    let program = compile(&modules, &[text(case, "query").unwrap_or_default()], CompileOptions::default())
        .map_err(|found| format!("does not compile: {}", told(&found)))?;
    let outcome = evaluate(case, program)?;
    let (wanted_text, wanted_code) = (text(case, "want_error"), text(case, "want_error_code"));
    match outcome {
        Err(error) => {
            let code = wanted_code.is_none_or(|wanted| wanted == error.code.as_str());
            let words = wanted_text.is_none_or(|wanted| error.to_string().contains(wanted));
            let wanted = wanted_code.is_some() || wanted_text.is_some();
            let told = || format!("fails with `{error}`, wanted {wanted_code:?} {wanted_text:?}");
            if wanted && code && words { Ok(()) } else { Err(told()) }
        }
        Ok(solutions) if wanted_text.is_some() || wanted_code.is_some() => {
            Err(format!("gives {}, wanted {wanted_code:?} {wanted_text:?}", Value::set(solutions)))
        }
        Ok(solutions) => compare(case, &solutions),
    }
}

fn modules(case: &Value) -> Result<Vec<Module>, String> {
    let texts = case.get_str("modules").and_then(Value::as_array).unwrap_or_default();
    let parsed = texts.iter().enumerate().map(|(number, text)| {
        let source = Source::new(format!("test-{number}.rego"), text.as_str().unwrap_or_default());
        let (module, found) = parse(source, Version::V1);
        module.filter(|_| !has_errors(&found)).ok_or_else(|| format!("does not parse: {}", told(&found)))
    });
    parsed.collect()
}

fn has_errors(found: &[Diagnostic]) -> bool {
    found.iter().any(|diagnostic| diagnostic.level == palisade_model::Level::Error)
}

fn told(found: &[Diagnostic]) -> String {
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What the suite expects to be outside: a machine that knows its own name.
struct Localhost;

impl Host for Localhost {
    fn must_answer(&self) -> bool {
        false
    }

    fn http(&self, _request: &Value) -> Result<Value, String> {
        Err("the suite sends no requests".to_owned())
    }

    fn addresses(&self, name: &str) -> Result<Vec<Str>, String> {
        if name == "localhost" { Ok(vec!["127.0.0.1".into()]) } else { Err(format!("lookup {name}: no such host")) }
    }

    fn runtime(&self) -> Value {
        Value::object(Vec::new())
    }
}

type Solutions = Result<Vec<Value>, EvalError>;

fn evaluate(case: &Value, program: Program) -> Result<Solutions, String> {
    let input = match text(case, "input_term") {
        Some(term) => Some(term_value(term)?),
        None => case.get_str("input").cloned(),
    };
    let data = case
        .get_str("data")
        .filter(|data| **data != Value::Null)
        .map_or_else(|| Value::object(Vec::new()), Value::clone);
    let strict = case.get_str("strict_error").and_then(Value::as_bool).unwrap_or(false);
    let mut machine = Machine::new(Arc::new(program));
    Ok(machine
        .session(Inputs { input, data, now: NOW, host: &Localhost, strict_builtin_errors: strict, ..Inputs::empty() })
        .query(0))
}

/// The value of a term of Rego, which may hold sets.
fn term_value(term: &str) -> Result<Value, String> {
    let program = compile(&[], &[&format!("x = {term}")], CompileOptions::default())
        .map_err(|found| format!("the input does not compile: {}", told(&found)))?;
    let mut machine = Machine::new(Arc::new(program));
    let solutions = machine.session(Inputs::empty()).query(0).map_err(|error| error.to_string())?;
    let first = solutions.first().and_then(|bindings| bindings.get_str("x"));
    first.cloned().ok_or_else(|| "the input is undefined".to_owned())
}

fn compare(case: &Value, solutions: &[Value]) -> Result<(), String> {
    let Some(wanted) = case.get_str("want_result") else {
        return Err("the case wants neither a result nor an error".to_owned());
    };
    let sorted = case.get_str("sort_bindings").and_then(Value::as_bool).unwrap_or(false);
    let got = Value::set(solutions.iter().map(|bindings| plain_bindings(bindings, sorted)).collect());
    let wanted = Value::set(wanted.as_array().unwrap_or_default().to_vec());
    if got == wanted { Ok(()) } else { Err(format!("gives {}, wanted {}", got.to_json(), wanted.to_json())) }
}

fn plain_bindings(bindings: &Value, sorted: bool) -> Value {
    let plain = |(name, value): (&Value, &Value)| {
        let value = plain(value);
        let value = match &value {
            Value::Array(items) if sorted => {
                let mut items = items.to_vec();
                items.sort();
                Value::array(items)
            }
            _ => value,
        };
        (name.clone(), value)
    };
    Value::from(bindings.as_object().into_iter().flat_map(Object::iter).map(plain).collect::<Object>())
}

/// A value as JSON shows it: sets as arrays, keys as strings.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::from(items.iter().map(plain).collect::<Array>()),
        Value::Set(set) => Value::from(set.iter().map(plain).collect::<Array>()),
        Value::Object(object) => Value::from(
            object.iter().map(|(key, value)| (Value::String(key.to_key()), plain(value))).collect::<Object>(),
        ),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_judged_by_results_and_errors() {
        let file = r#"{"cases": [
            {"note": "a", "query": "data.p.r = x", "modules": ["package p\nr contains x if some x in input"],
             "input": [2, 1], "want_result": [{"x": [1, 2]}]},
            {"note": "b", "query": "data.p.r = x", "modules": ["package p\nr := x if some x in [1, 2]"],
             "want_error_code": "eval_conflict_error", "want_error": "multiple outputs"},
            {"note": "c", "query": "data.p.r = x", "modules": ["package p\nr := 1"], "want_result": [{"x": 2}]}
        ]}"#;
        let outcomes = run_file(file).unwrap();
        let failures: Vec<_> = outcomes.iter().map(|outcome| outcome.failure.as_deref()).collect();
        assert_eq!(failures, [None, None, Some(r#"gives [{"x":1}], wanted [{"x":2}]"#)]);
    }
}
