//! Input that is meant to hurt: it must be refused or run out of budget, quickly, without a panic.

use std::sync::OnceLock;

use crate::library::standard;
use crate::{Bindings, Budget, Env, Type};

fn env() -> &'static Env {
    static ENV: OnceLock<Env> = OnceLock::new();
    ENV.get_or_init(|| Env::builder().libraries(standard::extensions()).variable("x", Type::Dyn).build())
}

fn refused(source: &str) {
    let errors = env().compile(source).expect_err("must be refused");
    let span = errors[0].span.clone();
    assert!(span.start <= span.end && span.end <= source.len(), "{span:?}");
}

/// Compiles and evaluates; whatever comes of it, it must come.
fn survives(source: &str) {
    for program in [env().compile(source), env().compile_unchecked(source)].into_iter().flatten() {
        let _ = program.evaluate(&Bindings::new().with("x", 1_i64), &mut Budget::new(1_000_000));
    }
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in
        [("(", ")"), ("[", "]"), ("{1:", "}"), ("!(", ")"), ("-(", ")"), ("x[", "]"), ("size(", ")"), ("1+(", ")")]
    {
        refused(&format!("{}1{}", open.repeat(100_000), close.repeat(100_000)));
        refused(&open.repeat(100_000));
    }
    refused(&format!("x{}", ".a".repeat(10_000)));
    refused(&format!("x{}", "[0]".repeat(10_000)));
    refused(&vec!["1"; 10_000].join("+"));
    refused(&format!("{}true", "true ? true : ".repeat(10_000)));
    refused(&format!("{}x{}", "[1].map(x, ".repeat(10_000), ")".repeat(10_000)));
}

#[test]
fn nesting_within_the_limit_fits_the_stack() {
    for (open, close) in [("(", ")"), ("[", "]"), ("{1:", "}"), ("!(", ")"), ("1+(", ")"), ("[1].map(y, ", ")")] {
        survives(&format!("{}x{}", open.repeat(95), close.repeat(95)));
    }
    survives(&format!("{}x{}", "cel.bind(y, x, ".repeat(80), ")".repeat(80)));
    survives(&format!("x{}", ".a".repeat(240)));
    survives(&vec!["x"; 240].join("+"));
    survives(&format!("{}x", "true ? true : ".repeat(95)));
    survives(&format!("x{}", ".optMap(v, v + 1)".repeat(60)));
}

#[test]
fn long_flat_input_is_fine_and_fast() {
    survives(&vec!["true"; 100_000].join("&&"));
    survives(&vec!["x == 1"; 50_000].join("||"));
    survives(&format!("[{}]", vec!["1"; 200_000].join(",")));
    survives(&format!("'{}'", "a".repeat(1_000_000)));
    refused(&format!("'{}'", "a".repeat(2_000_000)));
    survives(&format!("{}true", "!".repeat(100_001)));
    survives(&format!("{}x", "-".repeat(100_001)));
}

#[test]
fn malformed_input_is_refused_with_a_place() {
    for source in [
        "",
        " ",
        "1 +",
        "(",
        ")",
        "a.",
        "a.?",
        "a[",
        "'",
        "\"\\",
        "'\\x'",
        "b'\\u0041'",
        "'''",
        "0x",
        "1e",
        "99999999999999999999",
        "1u2",
        "a b",
        "a..b",
        "{1}",
        "{1:}",
        "[,]",
        "f(,)",
        "`a`",
        "a.`",
        "a.`b c!`",
        "?x",
        "x ? 1",
        "x ? 1 :",
        "has(x)",
        "x.map(1, 2)",
        "x.all(a.b, true)",
        "if",
        "for",
        "@",
        "#",
        "=",
        "&",
        "|",
        "a = b",
        "\u{0}",
        "Ünïcode",
        "'\\ud800'",
        "r'",
        "x.all(x)",
        "T{",
        "T{a}",
        "[1].exists(i, i, true)",
    ] {
        refused(source);
    }
}

#[test]
fn types_cannot_double_without_end() {
    let mut source = String::new();
    for level in 0..60 {
        let inner = if level == 0 { "{1: 1}".to_owned() } else { format!("{{v{0}: v{0}}}", level - 1) };
        source = format!("{source}cel.bind(v{level}, {inner}, ");
    }
    source.push_str("v59");
    source.push_str(&")".repeat(60));
    survives(&source);
}

#[test]
fn hostile_patterns_are_bounded() {
    for pattern in [
        "(a+)+$",
        "(a|a)*b",
        "((a{100}){100}){100}",
        "(((((((((x*)*)*)*)*)*)*)*)*)*",
        "\\\\pL{1000}{1000}",
        "(?i)[^\\\\x00]{5000}",
    ] {
        survives(&format!("'{}'.matches('{pattern}')", "a".repeat(5_000)));
        survives(&format!("regex.replace('{}', '{pattern}', 'b')", "a".repeat(5_000)));
    }
    let dynamic = env().compile("lists.range(100000).all(i, string(i).matches('x{100}' + string(i)) || true)").unwrap();
    let spent = dynamic.evaluate(&Bindings::new(), &mut Budget::new(300_000));
    assert!(spent.is_err_and(|error| error.is_fatal()));
}

#[test]
fn values_cannot_grow_without_end() {
    let doubling = (0..40).fold("'aaaaaaaaaaaaaaaa'".to_owned(), |inner, level| {
        format!("cel.bind(v{level}, {inner}, v{level} + v{level})")
    });
    survives(&doubling);
    let lists = (0..40)
        .fold("[1, 2, 3, 4]".to_owned(), |inner, level| format!("cel.bind(v{level}, {inner}, v{level} + v{level})"));
    survives(&lists);
    survives("lists.range(9223372036854775807)");
    survives("lists.range(100000).map(i, lists.range(100000))");
    survives("lists.range(100000).transformMap(i, v, lists.range(100000))");
    survives("'%.1000f'.format([1.0e300])");
    survives("lists.range(1000).map(i, '%s'.format([lists.range(1000)])).join()");
}

/// The corpus of the fuzz target, and every beginning of each of its files.
#[test]
fn the_fuzz_corpus_survives() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../fuzz/corpus/cel");
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in files {
        let seed = std::fs::read_to_string(file).unwrap();
        for end in (0..=seed.len()).filter(|end| seed.is_char_boundary(*end)) {
            survives(seed.get(..end).unwrap());
        }
    }
}
