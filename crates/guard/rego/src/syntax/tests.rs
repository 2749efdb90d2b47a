use std::fmt::Write;

use palisade_model::{Source, Value as Json};

use super::ast::{ExpressionKind, HeadKind, Scope};
use super::*;

fn parsed(text: &str, version: Version) -> (Option<Module>, Vec<String>) {
    let (module, diagnostics) = parse(Source::new("a.rego", text), version);
    (module, diagnostics.iter().map(ToString::to_string).collect())
}

fn sound(text: &str) -> Module {
    let (module, errors) = parsed(&format!("package p\n\n{text}\n"), Version::V1);
    assert_eq!(errors, Vec::<String>::new(), "{text}");
    module.unwrap()
}

/// The message of the first error in a module with this statement.
fn refused(text: &str, version: Version) -> String {
    let (_, diagnostics) = parse(Source::new("a.rego", format!("package p\n{text}\n")), version);
    diagnostics.first().map(|diagnostic| diagnostic.message.clone()).unwrap_or_default()
}

fn query(text: &str) -> String {
    let body = parse_query(&Source::new("q", text)).unwrap();
    body.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
fn operators_bind_as_in_the_reference() {
    assert_eq!(query("a | b & c + d * e == f in g"), "((a | (b & (c + (d * e)))) == f) in g");
    assert_eq!(query("x := 2 - -y - 3"), "x := (2 - (0 - y)) - 3");
    assert_eq!(query("k, v in xs"), "k, v in xs");
    assert_eq!(query("not a.b[\"c d\"].if with input.x as 1"), "not a.b[\"c d\"].if with input.x as 1");
}

#[test]
fn conditions_of_conditions_are_shown_with_their_groups() {
    let shown = |text: &str| {
        let module = sound(&format!("import rego.v2\np if {{ {text} }}"));
        module.rules[0].body.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(shown("a or b and not c with input as 1"), "a or (b and not c) with input as 1");
    assert_eq!(shown("(a or b) and { x := 1; x == y }"), "(a or b) and { x := 1; x == y }");
    assert_eq!(shown("not (a or b); not { c }; not d.or"), "not (a or b); not { c }; not d.or");
    assert_eq!(shown("(a == b) == c or (d with input as 1)"), "(a == b) == c or (d with input as 1)");
    let wrong = |text: &str| refused(&format!("import future.keywords.or\np if {{ {text} }}"), Version::V1);
    assert_eq!(wrong("a with input as 1 or b"), "`with` modifier is not allowed on operand of `or`");
    assert_eq!(wrong("some x in xs or b"), "unexpected or keyword: expected \\n or ;");
    assert_eq!(wrong("a and b"), "unexpected identifier token: expected \\n or ; or }");
    assert!(wrong(&"(".repeat(300)).contains("nested"));
}

#[test]
fn a_bar_in_braces_begins_conditions_unless_a_comma_follows() {
    let kind = |text: &str| match parse_query(&Source::new("q", text)).unwrap().remove(0).kind {
        ExpressionKind::Term(term) => format!("{:?}", term.kind).split('(').next().unwrap().to_owned(),
        other => format!("{other:?}"),
    };
    assert_eq!(kind("{a | b}"), "SetComprehension");
    assert_eq!(kind("{a | b, c}"), "Set");
    assert_eq!(kind("{a + b | c}"), "Set");
    assert_eq!(kind("[a | b; c]"), "ArrayComprehension");
    assert_eq!(kind("{a: b | c}"), "ObjectComprehension");
    assert_eq!(kind("{a: b | c, d: e}"), "Object");
    assert_eq!(kind("{}"), "Object");
    assert_eq!(kind("set()"), "Set");
}

#[test]
fn heads_say_what_is_defined() {
    let head = |text: &str, version| {
        let (module, errors) = parsed(&format!("package p\n{text}"), version);
        assert_eq!(errors, Vec::<String>::new(), "{text}");
        let rule = module.unwrap().rules.remove(0);
        let kind = match rule.head.kind {
            HeadKind::Value(_) => "value",
            HeadKind::Contains(_) => "set",
            HeadKind::Function(..) => "function",
        };
        (rule.head.to_string(), kind, rule.head.reference.len())
    };
    assert_eq!(head("p[x] { x := 1 }", Version::V0), ("p contains x".into(), "set", 1));
    assert_eq!(head("p.q[x] { x := 1 }", Version::V0), ("p.q[x]".into(), "value", 3));
    assert_eq!(head("import future.keywords.if\np[x] if { x := 1 }", Version::V0), ("p[x]".into(), "value", 2));
    assert_eq!(head("p[x] if x := 1", Version::V1), ("p[x]".into(), "value", 2));
    assert_eq!(head("p.q contains x if x := 1", Version::V1), ("p.q contains x".into(), "set", 2));
    assert_eq!(head("default.not(x) = x + 1", Version::V1), ("default.not(x) = x + 1".into(), "function", 2));
}

#[test]
fn bodies_and_branches() {
    let module =
        sound("p := 1 if { a } else := 2 if b\nelse := 3\nq if { a\n b; c }\n{ d }\nr if {a} == b\ns if {a: b}");
    assert_eq!(module.rules.len(), 5);
    assert_eq!(module.rules[0].otherwise.len(), 2);
    assert_eq!(module.rules[1].body.len(), 3);
    assert_eq!(module.rules[2].head.to_string(), "q");
    assert_eq!(module.rules[3].body[0].to_string(), "{a} == b");
    assert_eq!(module.rules[4].body[0].to_string(), "{a: b}");
}

#[test]
fn texts_and_templates() {
    assert_eq!(query(r#""a\u00e9\ud83d\ude00\/\ud800""#), "\"aé😀/\u{fffd}\"");
    assert_eq!(query(r"`\d{x}`"), r#""\\d{x}""#);
    assert_eq!(query(r#"$"a {b.c + 1} \{d} {$"{e}"}""#), r#"$"a {b.c + 1} \{d} {$"{e}"}""#);
    assert_eq!(query(r"$`\n{x}\{`"), r#"$"\\n{x}\{""#);
    assert_eq!(query("100000000000000000000000000000001.50"), "100000000000000000000000000000001.50");
}

#[test]
fn errors_name_what_was_expected() {
    let cases = [
        ("p if { a == }", "unexpected } token"),
        ("p if { a b }", "unexpected identifier token: expected \\n or ; or }"),
        ("p if { f (x) }", "unexpected ( token: expected \\n or ; or }"),
        ("p if { x = y = z }", "unexpected eq token: expected \\n or ; or }"),
        ("p if { f(x := 1) }", "unexpected assign token: expected \",\" or \")\""),
        ("p if { not some x in y }", "unexpected some keyword"),
        ("p if { some x == 1 }", "unexpected } token: expected `x in xs` or `x, y in xs` expression"),
        ("p := {1, 2: 3}", "unexpected : token: expected \",\" or \"}\""),
        ("p := \"a", "non-terminated string"),
        ("p := \"\\d\"", "illegal escape sequence"),
        ("p := 010", "expected number without leading zero"),
        ("p := !x", "illegal token `!`"),
        ("p := $\"{x = 1}\"", "unexpected unification (`=`) in template-string expression"),
        ("p { true }", "`if` keyword is required before rule body"),
        ("p[x] { true }", "`if` keyword is required before rule body"),
        ("p", "var cannot be used for rule name"),
        ("if := 1", "if keyword cannot be used for rule name"),
        ("default p := input.x", "illegal default rule (value cannot contain ref)"),
        ("p contains 1 if { a } else := 2", "else keyword cannot be used on multi-value rules"),
        ("import data.if", "unexpected import path, must not end with a keyword, got: if"),
        ("import foo.bar", "unexpected import path, must begin with one of: {data, future, input, rego}, got: foo"),
    ];
    for (text, message) in cases {
        assert_eq!(refused(text, Version::V1), message, "{text}");
    }
    assert_eq!(refused("p { x in y }", Version::V0), "unexpected identifier token: expected \\n or ; or }");
    assert_eq!(
        parsed("package foo.", Version::V1).1,
        ["a.rego:1:13: error[PAL-R0005]: unexpected eof token: expected identifier"]
    );
}

#[test]
fn every_mistake_is_shown() {
    let text = "package p\n\na := \n\nb := 1\n\nc if { x y }\n\nd := [1\n\ne if true\n";
    let (module, errors) = parsed(text, Version::V1);
    assert_eq!(
        errors,
        [
            "a.rego:5:3: error[PAL-R0005]: unexpected assign token: expected a rule or an import",
            "a.rego:7:10: error[PAL-R0005]: unexpected identifier token: expected \\n or ; or }",
            "a.rego:11:1: error[PAL-R0005]: unexpected identifier token: expected \",\" or \"]\"",
        ]
    );
    let names: Vec<String> = module.unwrap().rules.iter().map(|rule| rule.head.to_string()).collect();
    assert_eq!(names, ["a := b", "e"]);
}

#[test]
fn blocks_of_metadata_belong_to_what_follows() {
    let text = "# METADATA\n# title: P\npackage p\n\n# METADATA\n# scope: document\n# entrypoint: true\n\n# METADATA\n\
                # authors:\n# - Jane Doe <j@x.org>\n# custom:\n#   severity: high\n\nq := 1\n";
    let (module, errors) = parsed(text, Version::V1);
    assert_eq!(errors, Vec::<String>::new());
    let annotations = module.unwrap().annotations;
    let scopes: Vec<(Scope, Option<usize>)> = annotations.iter().map(|block| (block.scope, block.rule)).collect();
    assert_eq!(scopes, [(Scope::Package, None), (Scope::Document, Some(0)), (Scope::Rule, Some(0))]);
    let expected = r#"{"authors":[{"name":"Jane Doe","email":"j@x.org"}],"custom":{"severity":"high"},"scope":"rule"}"#;
    assert_eq!(annotations[2].value, Json::from_json(expected).unwrap());
}

#[test]
fn mistakes_in_metadata_have_their_place() {
    let error = |block: &str| {
        let text = format!("package p\n\n# METADATA\n{block}\nq := 1\n");
        parsed(&text, Version::V1).1.remove(0)
    };
    assert_eq!(error("# title: [a]"), "a.rego:4:10: error[PAL-R0012]: yaml: expected a text");
    assert!(error("# title: x\n# custom: {a: 'b}").starts_with("a.rego:5:15: error[PAL-R0012]: yaml: "));
    assert_eq!(
        error("# scope: package"),
        "a.rego:4:10: error[PAL-R0012]: annotation scope `package` must be applied to package (have rule)"
    );
    assert_eq!(error(""), "a.rego:3:1: error[PAL-R0012]: expected METADATA block, found whitespace");
}

#[test]
fn the_tree_as_data_is_that_of_opa() {
    let text = "package a.b\nimport data.c as d\np[1] := x if { not x = {2, 1} with input as null }";
    let expected = concat!(
        r#"{"imports":[{"alias":"d","path":{"type":"ref","value":[{"type":"var","value":"data"},{"type":"string","value":"c"}]}}],"#,
        r#""package":{"path":[{"type":"var","value":"data"},{"type":"string","value":"a"},{"type":"string","value":"b"}]},"#,
        r#""rules":[{"body":[{"index":0,"negated":true,"terms":[{"type":"ref","value":[{"type":"var","value":"eq"}]},"#,
        r#"{"type":"var","value":"x"},{"type":"set","value":[{"type":"number","value":1},{"type":"number","value":2}]}],"#,
        r#""with":[{"target":{"type":"ref","value":[{"type":"var","value":"input"}]},"value":{"type":"null","value":{}}}]}],"#,
        r#""head":{"assign":true,"name":"p","ref":[{"type":"var","value":"p"},{"type":"number","value":1}],"#,
        r#""value":{"type":"var","value":"x"}}}]}"#
    );
    assert_eq!(parse_module::parse_module("m.rego", text).unwrap().to_json(), expected);
    assert_eq!(
        parse_module::parse_module("m.rego", "package foo.").unwrap_err(),
        "1 error occurred: m.rego:1: rego_parse_error: unexpected eof token: expected identifier"
    );
}

#[test]
fn hostile_texts_are_refused_quickly() {
    let many = 100_000;
    let nests = [
        "[",
        "{",
        "(",
        "f(",
        "a[",
        "{a: ",
        "[a | ",
        "[a | [b, ",
        "{a | {b, c, ",
        "$\"{",
        "every x in y { ",
        "-",
        "not ",
        "p if {",
    ];
    for nest in nests {
        assert_ne!(refused(&format!("p := {}", nest.repeat(many)), Version::V1), "", "{nest}");
        assert_ne!(refused(&format!("p if {{ {} }}", nest.repeat(many)), Version::V1), "", "{nest}");
    }
    let chains = ["a + ", "a == ", "a in ", "f(a).", "a | ", "f(a)[b]."];
    for chain in chains {
        assert!(refused(&format!("p := {}a", chain.repeat(many)), Version::V1).contains("nested more than"), "{chain}");
    }
    for flat in ["a.b", "[\"x\"]", ".c"] {
        assert_eq!(refused(&format!("p := a{}", flat.trim_start_matches('a').repeat(many)), Version::V1), "");
    }
    // As deep as is allowed, as small a stack as a test has.
    let deep = |open: &str, close: &str| format!("p := {}1{}", open.repeat(99), close.repeat(99));
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("f(", ")"), ("(", ")")] {
        assert_eq!(refused(&deep(open, close), Version::V1), "", "{open}");
    }
    let mut unions = String::from("p := ");
    for _ in 0..45 {
        unions.push_str("[a | ");
    }
    unions.push('b');
    for _ in 0..45 {
        write!(unions, ", c]").unwrap();
    }
    assert_eq!(refused(&unions, Version::V1), "");
}

/// What the fuzzer asks of any text: places within it, and conditions that print as they read.
#[test]
fn the_fuzzers_texts_hold() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../fuzz/corpus/rego");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let Ok(text) = String::from_utf8(bytes) else { continue };
        count += 1;
        for version in [Version::V0, Version::V1] {
            let (module, diagnostics) = parse(Source::new("a.rego", text.as_str()), version);
            for label in diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels) {
                assert!(text.get(label.location.span.range()).is_some(), "{diagnostics:?}");
            }
            let sound = module.filter(|module| diagnostics.is_empty() && module.version == Version::V1);
            for expression in sound.iter().flat_map(|module| &module.rules).flat_map(|rule| &rule.body) {
                let printed = expression.to_string();
                assert_eq!(query(&printed), printed);
            }
        }
    }
    assert!(count > 10, "only {count} texts");
}
