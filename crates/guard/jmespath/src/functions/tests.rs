//! Every function of the table: results, refusals of wrong arguments, errors of its own.
//!
//! Results are written from JMESPath's specification and Kyverno's reference of functions. Refusals of a wrong number or
//! type of arguments are made from the table itself, so a new function is only to be given results, without which the
//! first test fails.

use palisade_model::{Value, json};
use palisade_policy::steps::Steps;

use super::{Arity, FUNCTIONS, Function, Kind};
use crate::{Query, QueryError, Runtime};

/// A certificate request made for these tests.
const PEM: &str = "\
-----BEGIN CERTIFICATE REQUEST-----
MIHVMIGAAgEAMBsxGTAXBgNVBAMMEHBhbGlzYWRlLmV4YW1wbGUwXDANBgkqhkiG
9w0BAQEFAANLADBIAkEA9k0r+XR2ABU1O2dNCFH94K0e3wwelu3crvn4uwj9JJsC
UCpzYJhar9QKCe7lddhO6+DmxNSds5Qs3oUjiAck3QIDAQABoAAwDQYJKoZIhvcN
AQELBQADQQDUaTPVaS4CBB+LPQ6Xa4JwV4GKhtHWZUNrbAd6TjPWcyuPv5umt7S+
+8TYVbxbNAuPAPajmg3LHBvtTBNdERrL
-----END CERTIFICATE REQUEST-----
";

/// What calls give, as JSON. Each starts with the function that it is about.
const RESULTS: &[(&str, &str)] = &[
    ("abs(`-1.5`)", "1.5"),
    ("avg(`[1, 2, 6]`)", "3"),
    ("ceil(`1.2`)", "2"),
    ("ceil(`-1.2`)", "-1"),
    ("contains('tomato', 'mat')", "true"),
    ("contains(`[\"a\", 1]`, `1`)", "true"),
    ("contains(`[\"a\"]`, 'b')", "false"),
    ("ends_with('nginx:latest', ':latest')", "true"),
    ("floor(`1.8`)", "1"),
    ("join(', ', `[\"a\", \"b\"]`)", r#""a, b""#),
    ("join('-', `[]`)", r#""""#),
    ("keys(`{\"a\": 1, \"b\": 2}`)", r#"["a", "b"]"#),
    ("length('h\u{e9}')", "2"),
    ("length(`[1, 2, 3]`)", "3"),
    ("length(`{\"a\": 1}`)", "1"),
    ("map(&a, `[{\"a\": 1}, {\"b\": 2}]`)", "[1, null]"),
    ("max(`[3, 9, 4]`)", "9"),
    ("max(`[\"a\", \"c\", \"b\"]`)", r#""c""#),
    ("max(`[]`)", "null"),
    ("max_by(`[{\"n\": 1}, {\"n\": 3}, {\"n\": 2}]`, &n)", r#"{"n": 3}"#),
    ("merge(`{\"a\": 1, \"b\": 1}`, `{\"b\": 2}`)", r#"{"a": 1, "b": 2}"#),
    ("min(`[3, 9, 4]`)", "3"),
    ("min(`[\"b\", \"a\"]`)", r#""a""#),
    ("min_by(`[{\"n\": \"y\"}, {\"n\": \"x\"}]`, &n)", r#"{"n": "x"}"#),
    ("not_null(`null`, nothing, 'x', 'y')", r#""x""#),
    ("reverse('abc')", r#""cba""#),
    ("reverse(`[1, 2]`)", "[2, 1]"),
    ("sort(`[\"b\", \"a\"]`)", r#"["a", "b"]"#),
    ("sort(`[10, 9]`)", "[9, 10]"),
    ("sort_by(`[{\"n\": 2}, {\"n\": 1}]`, &n)", r#"[{"n": 1}, {"n": 2}]"#),
    ("starts_with('nginx:latest', 'nginx')", "true"),
    ("to_array('a')", r#"["a"]"#),
    ("to_array(`[1]`)", "[1]"),
    ("to_number('1.50')", "1.5"),
    ("to_number('many')", "null"),
    ("to_string(`{\"a\": [1, true]}`)", r#""{\"a\":[1,true]}""#),
    ("type(`1.5`)", r#""number""#),
    ("type(`{}`)", r#""object""#),
    ("values(`{\"a\": 1}`)", "[1]"),
    ("compare('a', 'b')", "-1"),
    ("compare('b', 'a')", "1"),
    ("equal_fold('Stra\u{df}e', 'STRA\u{df}E')", "true"),
    ("equal_fold('a', 'b')", "false"),
    ("path_canonicalize('a/./b/../c')", r#""a/c""#),
    ("path_canonicalize('/../x//y/')", r#""/x/y""#),
    ("random('x{3}')", r#""xxx""#),
    ("replace('a-b-c', '-', '.', `1`)", r#""a.b-c""#),
    ("replace_all('a-b-c', '-', '.')", r#""a.b.c""#),
    ("split('a,b,c', ',')", r#"["a", "b", "c"]"#),
    ("split('ab', '')", r#"["a", "b"]"#),
    ("to_boolean('True')", "true"),
    ("to_boolean('false')", "false"),
    ("to_lower('AbC')", r#""abc""#),
    ("to_upper('AbC')", r#""ABC""#),
    ("trim('--a-b--', '-')", r#""a-b""#),
    ("trim_prefix('v1.2', 'v')", r#""1.2""#),
    ("trim_prefix('1.2', 'v')", r#""1.2""#),
    ("truncate('abcdef', `3`)", r#""abc""#),
    ("label_match(`{\"app\": \"web\"}`, `{\"app\": \"web\", \"tier\": \"front\"}`)", "true"),
    ("label_match(`{\"app\": \"web\"}`, `{\"app\": \"db\"}`)", "false"),
    ("pattern_match('web-??', 'web-01')", "true"),
    ("pattern_match('8*', `80`)", "true"),
    ("pattern_match('web-?', 'web-01')", "false"),
    ("regex_match('^v[0-9]+$', 'v12')", "true"),
    ("regex_match('^1[0-9]$', `12`)", "true"),
    ("regex_replace_all('([0-9]+)', 'a1b22', '<$1>')", r#""a<1>b<22>""#),
    ("regex_replace_all_literal('[0-9]', 'a1', '$0')", r#""a$0""#),
    ("semver_compare('1.4.2', '>=1.4.0 <2.0.0')", "true"),
    ("semver_compare('2.0.0', '<2.0.0')", "false"),
    ("add(`1`, `2.5`)", "3.5"),
    ("add('1h', '1800s')", r#""1h30m0s""#),
    ("add('1Gi', '1Mi')", r#""1025Mi""#),
    ("divide(`7`, `2`)", "3.5"),
    ("divide('1h', '900s')", "4"),
    ("divide('1h', `2`)", r#""30m0s""#),
    ("divide('10Mi', '5Mi')", "2"),
    ("modulo(`7`, `4`)", "3"),
    ("modulo('4500s', '1h')", r#""15m0s""#),
    ("multiply(`3`, `1.5`)", "4.5"),
    ("multiply('1Mi', `3`)", r#""3Mi""#),
    ("multiply(`2`, '1h')", r#""2h0m0s""#),
    ("round(`3.14159`, `2`)", "3.14"),
    ("subtract(`5`, `7`)", "-2"),
    ("subtract('3h', '1h')", r#""2h0m0s""#),
    ("subtract('2Gi', '1Gi')", r#""1Gi""#),
    ("sum(`[1, 2, 3]`)", "6"),
    ("sum(`[\"1h\", \"60s\"]`)", r#""1h1m0s""#),
    ("items(`{\"b\": 2, \"a\": 1}`, 'k', 'v')", r#"[{"k": "a", "v": 1}, {"k": "b", "v": 2}]"#),
    ("items(`[\"x\"]`, 'at', 'is')", r#"[{"at": 0, "is": "x"}]"#),
    ("lookup(`{\"a\": 1}`, 'a')", "1"),
    ("lookup(`[\"a\", \"b\"]`, `1`)", r#""b""#),
    ("lookup(`[\"a\"]`, `7`)", "null"),
    ("object_from_lists(`[\"a\", \"b\"]`, `[1]`)", r#"{"a": 1, "b": null}"#),
    ("base64_decode('cGFsaXNhZGU=')", r#""palisade""#),
    ("base64_encode('palisade')", r#""cGFsaXNhZGU=""#),
    ("md5('palisade')", r#""2d99efd6ff2374e5cae0c64a44825b90""#),
    ("parse_json('{\"a\": [1, null]}')", r#"{"a": [1, null]}"#),
    ("parse_yaml('a: [1, b]')", r#"{"a": [1, "b"]}"#),
    ("sha1('palisade')", r#""0f2f94428b9756a2d6a652ca75ea92ea59b60912""#),
    ("sha256('palisade')", r#""31bcf00e541432c9fa66278f0606407d5114079c8ecb5908d9397df51a64438c""#),
    ("x509_decode(request).Subject.CommonName", r#""palisade.example""#),
    ("image_normalize('nginx')", r#""docker.io/nginx:latest""#),
    ("image_normalize('ghcr.io/a/b:1')", r#""ghcr.io/a/b:1""#),
    ("is_external_url('http://8.8.8.8/')", "true"),
    ("is_external_url('https://192.168.0.1:8443/x')", "false"),
    ("time_add('2026-01-31T00:00:00Z', '36h')", r#""2026-02-01T12:00:00Z""#),
    ("time_after('2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z')", "true"),
    ("time_before('2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z')", "false"),
    ("time_between('2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-03T00:00:00Z')", "true"),
    ("time_between('2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-03T00:00:00Z')", "false"),
    ("time_diff('2026-01-01T00:00:00Z', '2026-01-01T01:30:00Z')", r#""1h30m0s""#),
    ("time_now()", r#""2026-05-03T10:20:30Z""#),
    ("time_now_utc()", r#""2026-05-03T10:20:30Z""#),
    ("time_parse('2006-01-02', '2026-03-04')", r#""2026-03-04T00:00:00Z""#),
    ("time_parse('1', '86400')", r#""1970-01-02T00:00:00Z""#),
    ("time_since('', '2026-05-03T09:20:30Z', '')", r#""1h0m0s""#),
    ("time_since('2006-01-02', '2026-05-02', '2026-05-03')", r#""24h0m0s""#),
    ("time_to_cron('2026-05-03T10:20:00Z')", r#""20 10 3 5 0""#),
    ("time_truncate('2026-05-03T10:20:30Z', '1h')", r#""2026-05-03T10:00:00Z""#),
    ("time_utc('2026-05-03T10:00:00+02:00')", r#""2026-05-03T08:00:00Z""#),
];

/// Calls with arguments of the right types that have no answer, and a part of what is said.
const ERRORS: &[(&str, &str)] = &[
    ("length(`1`)", "argument 1 must be a string or an array or an object, not number"),
    ("max(`[1, \"a\"]`)", "an array of numbers or an array of strings"),
    ("join(',', `[1]`)", "an array of strings"),
    ("contains(`[[1]]`, `[1]`)", "cannot look for an array"),
    ("merge(`{}`, `1`)", "argument 2 is not an object"),
    ("sort_by(`[{\"n\": 1}, {\"n\": \"a\"}]`, &n)", "all numbers or all strings"),
    ("max_by(`[{\"n\": 1}, {}]`, &n)", "all numbers or all strings"),
    ("min_by(`[{}, {}]`, &n)", "all numbers or all strings"),
    ("map(&abs(@), `[\"a\"]`)", "function `abs`"),
    ("random('')", "not an empty text"),
    ("random('(')", "failed"),
    ("to_boolean('yes')", "not `yes`"),
    ("regex_match('(', 'a')", "failed"),
    ("regex_replace_all('[', 'a', 'b')", "failed"),
    ("regex_replace_all_literal('[', 'a', 'b')", "failed"),
    ("semver_compare('1.0.0', 'x')", "failed"),
    ("add('1h', '1Gi')", "cannot combine"),
    ("add('soon', `1`)", "not `soon`"),
    ("divide(`1`, `0`)", "divide by zero"),
    ("divide('1h', '0s')", "divide by zero"),
    ("modulo(`1`, `0`)", "divide by zero"),
    ("modulo(`1.5`, `1`)", "whole numbers"),
    ("multiply('1h', '1h')", "cannot combine"),
    ("round(`1`, `-1`)", "whole number of places"),
    ("subtract(`1`, '1h')", "cannot combine"),
    ("sum(`[]`)", "at least one element"),
    ("sum(`[1, \"1h\"]`)", "cannot combine"),
    ("lookup(`[1]`, `0.5`)", "whole number as index"),
    ("object_from_lists(`[[]]`, `[1]`)", "a string or a number"),
    ("base64_decode('%')", "takes base64"),
    ("parse_json('{')", "takes JSON"),
    ("parse_yaml('a: [')", "takes YAML"),
    ("x509_decode('text')", "failed"),
    ("image_normalize('Not Valid')", "failed"),
    ("is_external_url('https://example.com')", "resolve the name `example.com`"),
    ("time_add('today', '1h')", "failed"),
    ("time_add('2026-01-31T00:00:00Z', 'long')", "failed"),
    ("time_after('today', 'today')", "failed"),
    ("time_before('today', 'today')", "failed"),
    ("time_between('today', 'today', 'today')", "failed"),
    ("time_diff('today', 'today')", "failed"),
    ("time_parse('2006-01-02', 'today')", "failed"),
    ("time_parse('1', 'today')", "whole seconds"),
    ("time_since('', 'today', '')", "failed"),
    ("time_to_cron('today')", "failed"),
    ("time_truncate('2026-01-31T00:00:00Z', 'long')", "failed"),
    ("time_utc('today')", "failed"),
    ("nothing_of_the_kind(@)", "unknown function `nothing_of_the_kind`"),
];

fn search(text: &str) -> Result<Value, QueryError> {
    let now = "2026-05-03T10:20:30Z".parse().unwrap();
    let runtime = Runtime { now, seed: 7, steps: &Steps::new(100_000, None) };
    let query = Query::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    query.search(&json!({"request": PEM}), &runtime)
}

/// The name of the function that a case is about.
fn subject(text: &str) -> &str {
    text.split('(').next().unwrap_or_default()
}

#[test]
fn every_function_has_a_result() {
    let missing = FUNCTIONS.iter().filter(|function| !RESULTS.iter().any(|(text, _)| subject(text) == function.name));
    let missing: Vec<_> = missing.map(|function| function.name).collect();
    assert!(missing.is_empty(), "without a case: {missing:?}");
}

#[test]
fn results_are_as_documented() {
    let outcomes = RESULTS.iter().map(|(text, expected)| (text, search(text), Value::from_json(expected).unwrap()));
    let wrong: Vec<_> = outcomes.filter(|(_, found, expected)| found.as_ref() != Ok(expected)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_has_no_answer_is_an_error() {
    for (text, expected) in ERRORS {
        let Err(QueryError::Invalid(message)) = search(text) else { panic!("{text} has an answer") };
        assert!(message.contains(expected), "{text}: {message}");
    }
}

/// A text that is an argument of one of the kinds.
fn fitting(kinds: &[Kind]) -> &'static str {
    match kinds.first() {
        Some(Kind::Number) => "`1`",
        Some(Kind::String) => "'a'",
        Some(Kind::Array | Kind::Numbers | Kind::Strings) => "`[]`",
        Some(Kind::Object) => "`{}`",
        Some(Kind::Expression) => "&a",
        Some(Kind::Any) | None => "@",
    }
}

fn call(function: &Function, arguments: &[&str]) -> Result<Value, QueryError> {
    search(&format!("{}({})", function.name, arguments.join(", ")))
}

#[test]
fn a_wrong_number_of_arguments_is_refused() {
    for function in FUNCTIONS {
        let wrong = match function.arity {
            Arity::Exact([]) => vec![1],
            Arity::Exact(kinds) => vec![kinds.len() - 1, kinds.len() + 1],
            Arity::AtLeast(0) => vec![],
            Arity::AtLeast(least) => vec![least - 1],
        };
        for count in wrong {
            let error = call(function, &vec!["@"; count]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("function `{}` takes ", function.name)), "{error}");
        }
    }
}

#[test]
fn an_argument_of_a_wrong_type_is_refused_by_its_position() {
    for function in FUNCTIONS {
        let Arity::Exact(kinds) = function.arity else { continue };
        for position in (0..kinds.len()).filter(|position| !kinds[*position].contains(&Kind::Any)) {
            let mut arguments: Vec<_> = kinds.iter().map(|kinds| fitting(kinds)).collect();
            arguments[position] = "`null`";
            let error = call(function, &arguments).unwrap_err().to_string();
            let expected = format!("function `{}` argument {} must be ", function.name, position + 1);
            assert!(error.starts_with(&expected) && error.ends_with("not null"), "{error}");
        }
    }
}
