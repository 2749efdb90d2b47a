//! Every builtin with what it gives and what it refuses, so that a clone without OPA's suite guards them too.
//!
//! The cases are lines of the text files beside this one: `NAME(OPERANDS) => RESULT`, written from the documentation of OPA
//! and Go. Operands are terms of Rego, in which `$name` stands for what a line `$name = TERM` above gave. A result is a
//! term as it prints, `undefined`, `error: MESSAGE`, or `contains: TEXT` for a part of one; `@` at the end of a result
//! stands for anything. A builtin of the table without a case, or without an error where it can fail, fails the test.

#![allow(clippy::disallowed_methods, reason = "tests read files and watch the time")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a case that cannot be read has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use palisade_model::{Budget, Str};
use palisade_rego::builtins;
use palisade_rego::machine::{Inputs, Machine};
use palisade_rego::{CompileOptions, Value, compile};
use palisade_rego_builtins::{Context, Host, Memory};

const FILES: [(&str, &str); 5] = [
    ("numbers.txt", include_str!("numbers.txt")),
    ("collections.txt", include_str!("collections.txt")),
    ("text.txt", include_str!("text.txt")),
    ("encodings.txt", include_str!("encodings.txt")),
    ("tokens.txt", include_str!("tokens.txt")),
];

/// Builtins that take whatever they are given and always have an answer, or none.
const NEVER_FAIL: &[&str] = &[
    "assign",
    "base64.is_valid",
    "eq",
    "equal",
    "graphql.is_valid",
    "graphql.parse_and_verify",
    "graphql.schema_is_valid",
    "gt",
    "gte",
    "internal.member_2",
    "internal.member_3",
    "internal.print",
    "internal.test_case",
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "json.is_valid",
    "json.marshal",
    "json.verify_schema",
    "lt",
    "lte",
    "neq",
    "net.cidr_is_valid",
    "opa.runtime",
    "print",
    "regex.is_valid",
    "semver.is_valid",
    "time.now_ns",
    "type_name",
    "yaml.is_valid",
    "yaml.marshal",
];

/// One name is known, one service answers, and two files are there.
struct World;

impl Host for World {
    fn http(&self, request: &Value) -> Result<Value, String> {
        if request.get_str("url").and_then(Value::as_str) != Some("https://service.example/a") {
            return Err("nobody there".to_owned());
        }
        Value::from_json(
            r#"{"status": "200 OK", "status_code": 200, "headers": {"content-type": ["application/json"]}, "raw_body": "{\"answer\": 42}"}"#,
        )
    }

    fn addresses(&self, name: &str) -> Result<Vec<Str>, String> {
        if name == "known.example" { Ok(vec!["192.0.2.1".into()]) } else { Err(format!("no such host: {name}")) }
    }

    fn file(&self, path: &str) -> Result<String, String> {
        let files = [("a.yaml", "a: 1"), ("a.tf", "a = var.x")];
        let found = files.into_iter().find(|(name, _)| *name == path).map(|(_, text)| text.to_owned());
        found.ok_or_else(|| "no such file".to_owned())
    }

    fn runtime(&self) -> Value {
        Value::from_json(r#"{"env": {}}"#).unwrap()
    }
}

/// The value of a term.
fn term(text: &str) -> Value {
    let program = compile(&[], &[&format!("x = {text}")], CompileOptions::default());
    let program = program.unwrap_or_else(|found| panic!("{text} does not compile: {found:?}"));
    let mut machine = Machine::new(Arc::new(program));
    let inputs = Inputs { strict_builtin_errors: true, ..Inputs::empty() };
    let solutions = machine.session(inputs).query(0).unwrap_or_else(|error| panic!("{text}: {error}"));
    solutions
        .first()
        .and_then(|bindings| bindings.get_str("x"))
        .unwrap_or_else(|| panic!("{text} is undefined"))
        .clone()
}

/// What a builtin answers, as a case writes it.
fn call(name: &str, operands: &Value) -> String {
    let builtin = builtins::find(name).unwrap_or_else(|| panic!("there is no builtin `{name}`"));
    let mut context = Context {
        now: Timestamp::from_nanosecond(1_800_000_000_123_456_789).unwrap(),
        seed: 7,
        host: &World,
        budget: &mut Budget { steps: 10_000_000, bytes: 10_000_000 },
        memory: &mut Memory::default(),
    };
    match (builtin.run)(&mut context, operands.as_array().unwrap()) {
        Ok(Some(value)) => value.to_string(),
        Ok(None) => "undefined".to_owned(),
        Err(error) => format!("error: {error}"),
    }
}

fn fits(answer: &str, expected: &str) -> bool {
    match (expected.strip_prefix("contains: "), expected.strip_suffix("@\"")) {
        (Some(part), _) => answer.contains(part),
        (None, Some(start)) => answer.starts_with(start),
        (None, None) => answer == expected,
    }
}

/// A line with the names of earlier lines replaced by what they stand for, the longest first.
fn expanded(line: &str, names: &BTreeMap<String, String>) -> String {
    names.iter().rev().fold(line.to_owned(), |line, (name, text)| line.replace(name, text))
}

#[test]
fn every_builtin_gives_and_refuses_what_is_documented() {
    let (mut answered, mut refused) = (BTreeSet::new(), BTreeSet::new());
    let mut wrong = Vec::new();
    for (file, text) in FILES {
        let mut names = BTreeMap::new();
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            if let Some((name, value)) = line.split_once(" = ").filter(|(name, _)| name.starts_with('$')) {
                names.insert(name.to_owned(), value.to_owned());
                continue;
            }
            let (case, expected) = line.split_once(" => ").unwrap_or_else(|| panic!("{file}: {line}"));
            let (name, operands) = case.strip_suffix(')').and_then(|case| case.split_once('(')).unwrap();
            let answer = call(name, &term(&format!("[{}]", expanded(operands, &names))));
            let seen = if answer.starts_with("error: ") { &mut refused } else { &mut answered };
            seen.insert(name.to_owned());
            // A raw string is easier to read than one full of escapes.
            let expected = if expected.starts_with('`') { term(expected).to_string() } else { expected.to_owned() };
            if !fits(&answer, &expected) {
                wrong.push(format!("{file}:{}: {case}\n  gives {answer}\n  not   {expected}", number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let always_halts = ["rego.metadata.chain", "rego.metadata.rule", "walk"];
    for name in builtins::all().map(|builtin| builtin.name) {
        assert!(answered.contains(name) || always_halts.contains(&name), "`{name}` has no case with a result");
        assert_eq!(refused.contains(name), !NEVER_FAIL.contains(&name), "whether `{name}` has a case with an error");
    }
}
