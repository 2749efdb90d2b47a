//! What expressions yield, each expectation compared with `kyverno jp query`; hostile input; determinism.

use palisade_model::{Value, json};
use palisade_policy::steps::Steps;

use super::*;

fn search(text: &str, scope: &Value) -> Result<Value, QueryError> {
    let steps = Steps::new(100_000, None);
    let now = "2026-05-03T10:00:00Z".parse().unwrap();
    Query::parse(text).unwrap().search(scope, &Runtime { now, seed: 7, steps: &steps })
}

fn pod() -> Value {
    json!({
        "metadata": {"name": "web", "labels": {"app": "shop", "tier": "front"}},
        "spec": {
            "replicas": 3,
            "containers": [
                {"name": "a", "image": "nginx:1.25", "memory": "512Mi", "ports": [80, 443]},
                {"name": "b", "image": "ghcr.io/x/y", "memory": "1Gi", "env": null}
            ]
        }
    })
}

/// Asserts that each expression over [`pod`] yields the JSON beside it. All were compared with `kyverno jp query`.
fn assert_all(cases: &[(&str, Value)]) {
    for (text, expected) in cases {
        assert_eq!(search(text, &pod()).as_ref(), Ok(expected), "{text}");
    }
}

#[test]
fn missing_keys_pass_through_paths_only() {
    for text in ["x", "metadata.x", "metadata.x.y", "metadata.x[0]", "x.[y]", "spec && x", "(x)"] {
        assert!(matches!(search(text, &pod()), Err(QueryError::NotFound { .. })), "{text}");
    }
    assert_all(&[
        ("x || 'd'", json!("d")),
        ("x || y", json!(null)),
        ("x && spec", json!(null)),
        ("!x", json!(true)),
        ("x == `null`", json!(true)),
        ("x | @", json!(null)),
        ("metadata | x", json!(null)),
        ("x[*]", json!(null)),
        ("x[]", json!(null)),
        ("x[?y]", json!(null)),
        ("x.*", json!(null)),
        ("[x, metadata.name]", json!([null, "web"])),
        ("{a: x}", json!({"a": null})),
        ("type(x)", json!("null")),
        ("metadata.name.x", json!(null)),
        ("spec.containers[*].env", json!([])),
        ("spec.containers[?ports].name", json!(["a"])),
        ("spec.containers[5].name", json!(null)),
    ]);
}

#[test]
fn projections_slices_and_comparisons() {
    assert_all(&[
        ("spec.containers[].ports[]", json!([80, 443])),
        ("spec.containers[*].name | [-1]", json!("b")),
        ("spec.containers[::-1].name", json!(["b", "a"])),
        ("spec.containers[0].ports[?@ > `100`]", json!([443])),
        ("spec.replicas >= `3` && metadata.name != 'x'", json!(true)),
        ("spec.replicas > '1'", json!(null)),
        ("metadata.labels.*", json!(["shop", "front"])),
        ("metadata.labels.*.type(@)", json!(["null", "null", "string", "string"])),
        ("spec.containers[*].{n: name, m: env}", json!([{"n": "a", "m": null}, {"n": "b", "m": null}])),
        ("compare('a', 'a') == `0`", json!(false)),
    ]);
}

#[test]
fn functions_of_every_family() {
    assert_all(&[
        ("sort_by(spec.containers, &memory)[0].name", json!("b")),
        ("max_by(spec.containers, &length(image)).name", json!("b")),
        ("map(&name, spec.containers) | join('+', @)", json!("a+b")),
        ("sum(spec.containers[*].memory)", json!("1536Mi")),
        ("divide('1Gi', '512Mi')", json!(2)),
        ("multiply('1h30m', `2`)", json!("3h0m0s")),
        ("items(metadata.labels, 'k', 'v')[1]", json!({"k": "tier", "v": "front"})),
        ("object_from_lists(['a', 'b'], [`1`])", json!({"a": 1, "b": null})),
        ("lookup(metadata.labels, 'app')", json!("shop")),
        ("label_match({app: 'shop'}, metadata.labels)", json!(true)),
        ("regex_replace_all('(\\w+):(.+)', spec.containers[0].image, '$2-$1')", json!("1.25-nginx")),
        ("regex_match('^\\d+$', spec.replicas)", json!(true)),
        ("pattern_match('ng*:?.??', spec.containers[0].image)", json!(true)),
        ("semver_compare('1.25.0', '>=1.20.0 <2.0.0')", json!(true)),
        ("image_normalize(spec.containers[0].image)", json!("docker.io/nginx:1.25")),
        ("is_external_url('https://10.0.0.1/x')", json!(false)),
        ("base64_decode(base64_encode('h\u{e9}'))", json!("h\u{e9}")),
        ("md5('a')", json!("0cc175b9c0f1b6a831c399e269772661")),
        ("to_string(metadata.labels)", json!("{\"app\":\"shop\",\"tier\":\"front\"}")),
        ("parse_json('[1, {\"a\": null}]')", json!([1, {"a": null}])),
        ("parse_yaml('a: [x, 1]')", json!({"a": ["x", 1]})),
        ("time_now()", json!("2026-05-03T10:00:00Z")),
        ("time_since('', '2026-05-03T08:30:00Z', '')", json!("1h30m0s")),
        ("time_to_cron('2022-04-11T03:14:05-07:00')", json!("14 3 11 4 1")),
        ("path_canonicalize('/a//b/../c/')", json!("/a/c")),
        ("truncate('h\u{e9}llo', `2`)", json!("h\u{e9}")),
        ("replace('aaa', 'a', 'b', `2`)", json!("bba")),
        ("round(`2.555`, `1`)", json!(2.6)),
    ]);
}

#[test]
fn wrong_arguments_are_errors_that_name_the_function() {
    for text in [
        "length(x)",
        "length()",
        "abs('1')",
        "nosuch(@)",
        "sort_by(spec.containers, &env)",
        "add('1h', '1Gi')",
        "divide(`1`, `0`)",
        "regex_match('(', 'a')",
        "to_boolean('yes')",
        "contains([[`1`]], [`1`])",
        "sum(`[]`)",
        "time_add('today', '1h')",
        "&name",
    ] {
        assert!(matches!(search(text, &pod()), Err(QueryError::Invalid(_))), "{text}");
    }
    let error = search("abs('1')", &pod()).unwrap_err();
    assert_eq!(error.to_string(), "function `abs` argument 1 must be a number, not string");
}

#[test]
fn random_text_matches_its_pattern_and_repeats_with_the_seed() {
    let text = search("random('[a-z0-9]{8}-(x|y)')", &pod()).unwrap();
    assert_eq!(search("random('[a-z0-9]{8}-(x|y)')", &pod()).unwrap(), text);
    let matches = search(&format!("regex_match('^[a-z0-9]{{8}}-(x|y)$', '{}')", text.as_str().unwrap()), &pod());
    assert_eq!(matches, Ok(Value::Bool(true)));
    assert_eq!(search("random('[a-z]{9}') == random('[a-z]{9}')", &pod()), Ok(Value::Bool(false)));
}

#[test]
fn root_names_are_what_the_scope_is_asked_for() {
    let query = Query::parse("a.b || @.c[?d].e | f && length(g) && map(&h, i) && {j: k, l: a}").unwrap();
    assert_eq!(query.root_names(), ["a", "c"]);
    let query = Query::parse("length(g) && map(&h, i) && {j: k, l: g} && m[*].n").unwrap();
    assert_eq!(query.root_names(), ["g", "i", "k", "m"]);
}

#[test]
fn growth_is_charged() {
    let doubling = |unit: &str| format!("'aaaaaaaaaa'{}", unit.repeat(60));
    for text in [
        doubling(" | replace_all(@, 'a', 'aaaa')"),
        doubling(" | join('', [@, @])"),
        doubling(" | [@, @]"),
        doubling(" | [@, @][]"),
        format!("{} | to_string(@)", doubling(" | [@, @]")),
        format!("{} | {{a: @ == `[1]`, b: @ == @}}", doubling(" | [@, @]")),
        doubling(" | to_string([@, @])"),
        doubling(" | regex_replace_all('(a+)', @, '$1$1')"),
        "random('((((a{1000}){1000}){1000}){1000})')".to_owned(),
    ] {
        let outcome = search(&text, &Value::Null);
        assert!(matches!(outcome, Err(QueryError::StepLimit | QueryError::Invalid(_))), "{text}");
    }
}

#[test]
fn the_deepest_expression_fits_a_small_stack() {
    let text = format!("{}a{}", "[".repeat(120), "]".repeat(120));
    let worker = std::thread::Builder::new().stack_size(1 << 20);
    let evaluate = move || search(&text, &json!({"a": 1})).is_ok();
    assert!(worker.spawn(evaluate).unwrap().join().unwrap());
}

/// The inputs of the fuzz target `jmespath`.
#[test]
fn the_fuzz_corpus_ends_within_its_budget() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../fuzz/corpus/jmespath");
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        match Query::parse(&text) {
            Ok(_) => assert_eq!(search(&text, &pod()), search(&text, &pod()), "{text}"),
            Err(error) => assert!(text.get(..error.offset).is_some(), "{error}"),
        }
    }
}

/// A scope that knows `known`, and cannot load anything else.
struct Failing;

impl Scope for Failing {
    fn get(&self, name: &str) -> Result<Option<Value>, QueryError> {
        match name {
            "known" => Ok(Some(json!([1]))),
            _ => Err(QueryError::Lookup(format!("`{name}` is not available"))),
        }
    }

    fn whole(&self) -> Result<Value, QueryError> {
        Err(QueryError::Lookup("not all is available".into()))
    }
}

#[test]
fn what_cannot_be_loaded_is_an_error_in_every_form() {
    let steps = Steps::new(100_000, None);
    let runtime = Runtime { now: Timestamp::UNIX_EPOCH, seed: 7, steps: &steps };
    for text in [
        "x",
        "x.y",
        "x[0]",
        "x[]",
        "x[].y",
        "x[*].y",
        "x.*",
        "x.*.y",
        "x[?a].b",
        "x[?a]",
        "x | @",
        "x || 'd'",
        "x && known",
        "!x",
        "x == `null`",
        "[x]",
        "{a: x}",
        "length(x[])",
        "not_null(x, 'd')",
        "x[1:]",
        "@",
        "*",
        "keys(@)",
        "x[*][]",
        "(x)[]",
    ] {
        let found = Query::parse(text).unwrap().search(&Failing, &runtime);
        assert!(matches!(found, Err(QueryError::Lookup(_))), "{text}: {found:?}");
    }
}

#[test]
fn calls_that_can_never_have_an_answer_are_found() {
    let wrong = |text: &str| Query::parse(text).unwrap().wrong_call().unwrap_or_default();
    assert_eq!(wrong("a[?contains(b, 'x')].to_upper(c) | length(@)"), "");
    assert_eq!(wrong("time_since(a)"), "function `time_since` takes 3 arguments, not 1");
    assert_eq!(wrong("a[?lenght(b) > `1`]"), "unknown function `lenght`, did you mean `length`?");
    assert_eq!(wrong("{a: [sort_by(b, &to_upper())]}"), "function `to_upper` takes 1 arguments, not 0");
    assert_eq!(wrong("not_null()"), "function `not_null` takes at least 1 arguments");
}
