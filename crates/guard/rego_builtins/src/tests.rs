use palisade_rego_value::Value;

use super::testing::{call, run, value};

#[track_caller]
fn check(cases: &[(&str, &[&str], &str)]) {
    for (name, operands, expected) in cases {
        assert_eq!(call(name, operands), *expected, "{name} {operands:?}");
    }
}

#[test]
fn names_are_unique() {
    let mut names: Vec<_> = super::all().map(|builtin| builtin.name).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    assert!(super::DEPRECATED.iter().all(|name| names.contains(name)));
}

#[test]
fn operands_are_refused_in_opas_words() {
    check(&[
        ("plus", &["1", "\"a\""], "error: operand 2 must be number but got string"),
        ("minus", &["\"a\"", "1"], "error: operand 1 must be one of {number, set} but got string"),
        ("count", &["null"], "error: operand 1 must be one of {array, object, set, string} but got null"),
        ("sum", &["[1, \"a\"]"], "error: operand 1 must be array of numbers but got array containing string"),
        ("array.slice", &["[]", "0.5", "1"], "error: operand 2 must be integer number but got floating-point number"),
        ("bits.and", &["1.5", "1"], "error: operand 1 must be integer number but got floating-point number"),
        ("format_int", &["1", "3"], "error: operand 2 must be one of {2, 8, 10, 16}"),
        (
            "json.remove",
            &["{}", "[1]"],
            "error: operand 2 must be one of {set, array} containing string paths or array of path segments but got number",
        ),
        ("rem", &["1.5", "1"], "error: modulo on floating-point number"),
        ("to_number", &["\"broken\""], "error: strconv.ParseFloat: parsing \"broken\": invalid syntax"),
        ("hex.decode", &["\"fg\""], "error: encoding/hex: invalid byte: U+0067 'g'"),
    ]);
}

#[test]
fn collections_are_taken_apart_and_put_together() {
    check(&[
        ("array.flatten", &["[1, [2, [3]], []]"], "[1, 2, [3]]"),
        ("array.slice", &["[1, 2, 3]", "-1", "9"], "[1, 2, 3]"),
        ("object.get", &[r#"{"a": [{"b": 1}]}"#, r#"["a", 0, "b"]"#, "9"], "1"),
        ("object.get", &[r#"{"a": 1}"#, r#"["a", "b"]"#, "9"], "9"),
        ("object.union_n", &[r#"[{"a": {"b": 2}}, {"a": 4}, {"a": {"c": 3}}]"#], r#"{"a": {"c": 3}}"#),
        ("object.filter", &[r#"{"a": 1, "b": 2}"#, r#"{"a": 0}"#], r#"{"a": 1}"#),
        ("object.subset", &[r#"{"a": {"b": 1, "c": 2}}"#, r#"{"a": {"c": 2}}"#], "true"),
        ("object.subset", &["[1, 2, 3]", "[2, 3]"], "true"),
        ("json.filter", &[r#"{"a": [1, {"b": 2, "c": 3}]}"#, r#"["a/1/b"]"#], r#"{"a": [{"b": 2}]}"#),
        ("json.remove", &[r#"{"a": [1, {"b": 2, "c": 3}]}"#, r#"["/a/1/b", "a/0"]"#], r#"{"a": [{"c": 3}]}"#),
        (
            "json.patch",
            &[
                r#"{"a": [1]}"#,
                r#"[{"op": "add", "path": "/a/-", "value": 2}, {"op": "move", "from": "a", "path": "b"}]"#,
            ],
            r#"{"b": [1, 2]}"#,
        ),
        ("json.patch", &[r#"{"$set": [1, 2]}"#, r#"[{"op": "remove", "path": [1]}]"#], "{2}"),
        ("json.patch", &["{}", r#"[{"op": "remove", "path": "/x"}]"#], "undefined"),
        ("union", &[r#"{"$set": [{"$set": [1]}, {"$set": [2]}]}"#], "{1, 2}"),
        ("intersection", &[r#"{"$set": []}"#], "set()"),
        ("min", &["[]"], "undefined"),
        ("graph.reachable_paths", &[r#"{"a": ["b"], "b": ["a", "c"]}"#, r#"["a"]"#], r#"{["a", "b"]}"#),
        ("numbers.range_step", &["5", "0", "2"], "[5, 3, 1]"),
    ]);
}

#[test]
fn text_is_searched_cut_and_replaced() {
    check(&[
        ("substring", &["\"åäö\"", "1", "1"], "\"ä\""),
        ("substring", &["\"aaa\"", "-1", "1"], "error: negative offset"),
        ("split", &["\"test\"", "\"\""], r#"["t", "e", "s", "t"]"#),
        ("split", &["\"\"", "\".\""], r#"[""]"#),
        ("indexof_n", &["\"aaa\"", "\"aa\""], "[0, 1]"),
        ("replace", &["\"ab\"", "\"\"", "\"-\""], "\"-a-b-\""),
        ("strings.replace_n", &[r#"{"<": "&lt;", "a": "<"}"#, "\"a<\""], "\"<&lt;\""),
        ("trim", &["\"..a.\"", "\".\""], "\"a\""),
        ("format_int", &["-15.5", "16"], "\"-f\""),
        ("strings.any_suffix_match", &[r#"["a/b"]"#, r#"["/b", "c"]"#], "true"),
        ("urlquery.encode", &["\"a b&é\""], "\"a+b%26%C3%A9\""),
        ("urlquery.decode_object", &["\"a=1&a=2&b\""], r#"{"a": ["1", "2"], "b": [""]}"#),
        ("json.marshal", &[r#"{"b": 1.0, "a": "<"}"#], r#""{\"a\":\"\\u003c\",\"b\":1.0}""#),
        (
            "json.marshal_with_options",
            &[r#"{"a": [1, {}]}"#, r#"{"indent": " "}"#],
            r#""{\n \"a\": [\n  1,\n  {}\n ]\n}""#,
        ),
        ("json.unmarshal", &[r#""[1, 100000000000000000000]""#], "[1, 100000000000000000000]"),
        ("json.unmarshal", &["\"{\""], "error: unexpected EOF"),
        ("yaml.unmarshal", &["\"a: [1]\""], r#"{"a": [1]}"#),
    ]);
}

#[test]
fn patterns_match_as_in_go() {
    check(&[
        ("regex.split", &["\"a*\"", "\"baac\""], r#"["b", "c"]"#),
        ("regex.find_n", &["\"a.\"", "\"abac\"", "1"], r#"["ab"]"#),
        ("regex.find_all_string_submatch_n", &["\"a(x*)b\"", "\"-axxb-ab-\"", "-1"], r#"[["axxb", "xx"], ["ab", ""]]"#),
        ("regex.replace", &["\"-ab-\"", "\"a(b)\"", "\"$1$1\""], "\"-bb-\""),
        ("regex.template_match", &["\"urn:foo:{.*}\"", "\"urn:foo:bar:baz\"", "\"{\"", "\"}\""], "true"),
        ("regex.globs_match", &["\"a.a.[0-9]+z\"", "\".b.b2359825792*594823z\""], "true"),
        ("regex.globs_match", &["\"[a-z]+\"", "\"[0-9]*\""], "false"),
        ("glob.match", &["\"*.github.com\"", "[]", "\"api.cdn.github.com\""], "false"),
        ("glob.match", &["\"**.github.com\"", "[]", "\"api.cdn.github.com\""], "true"),
        ("glob.match", &["\"{cat,[fr]at}*\"", "null", "\"rat.x\""], "true"),
        ("glob.match", &["\"?at\"", "[\"f\"]", "\"fat\""], "false"),
        ("glob.quote_meta", &["\"*.a\""], r#""\\*.a""#),
    ]);
}

#[test]
fn times_units_and_versions_are_read() {
    check(&[
        (
            "time.format",
            &["[1670006453141828752, \"Asia/Kolkata\", \"RFC1123Z\"]"],
            "\"Sat, 03 Dec 2022 00:10:53 +0530\"",
        ),
        ("time.format", &["1670006453141828752"], "\"2022-12-02T18:40:53.141828752Z\""),
        ("time.clock", &["[1517832000000000000, \"America/New_York\"]"], "[7, 0, 0]"),
        ("time.weekday", &["1517832000000000000"], "\"Monday\""),
        ("time.add_date", &["1585852421593912000", "3", "9", "12"], "1705257221593912000"),
        ("time.add_date", &["0", "2262", "1", "1"], "error: time outside of valid range"),
        ("time.date", &["1e30"], "error: timestamp too big"),
        ("time.parse_ns", &["\"RFC3339\"", "\"1970-01-01T00:00:01Z\""], "1000000000"),
        ("units.parse", &["\"500m\""], "0.5000000000"),
        ("units.parse", &["\"2.5e3Ki\""], "2560000"),
        ("units.parse_bytes", &["\"1.5MiB\""], "1572864"),
        ("units.parse", &["\"10Q\""], "error: units.parse: unit Q not recognized"),
        ("semver.compare", &["\"1.0.0-rc.2\"", "\"1.0.0-rc.10\""], "-1"),
        ("semver.is_valid", &["\"v1.2\""], "false"),
        (
            "uuid.parse",
            &["\"000003e8-48b9-21ee-b200-325096b39f47\""],
            r#"{"clocksequence": 12800, "domain": "Person", "id": 1000, "macvariables": "local:unicast", "nodeid": "32-50-96-b3-9f-47", "time": 1693566990121469600, "variant": "RFC4122", "version": 2}"#,
        ),
        ("to_number", &["\"007\""], "7"),
    ]);
}

#[test]
fn work_is_bounded() {
    let large = Value::from("a".repeat(100_000));
    for (name, operands) in [
        ("numbers.range", vec![value("0"), value("1e12")]),
        ("replace", vec![large.clone(), value("\"\""), large.clone()]),
        ("regex.replace", vec![large.clone(), value("\"a\""), large.clone()]),
        ("sprintf", vec![value("\"%999999d%999999d%999999d\""), value("[1, 1, 1]")]),
        ("graph.reachable_paths", {
            let node = |at: usize| {
                (Value::from(at.to_string()), Value::array((0..40).map(|to| Value::from(to.to_string())).collect()))
            };
            vec![Value::object((0..40).map(node).collect()), value("[\"0\"]")]
        }),
    ] {
        let error = run(name, &operands, 1_000_000).unwrap_err();
        assert!(matches!(error, super::BuiltinError::Halt(_)), "{name}: {error}");
    }
}
