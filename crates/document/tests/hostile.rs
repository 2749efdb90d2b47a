//! Hostile files: each ends in a diagnostic (or a document), in bounded time and memory, without a panic.

#![allow(clippy::disallowed_methods, reason = "tests read files and watch the time")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use palisade_document::{Limits, Parsed, parse, write};

fn read(name: &str, text: &str) -> Parsed {
    let started = Instant::now();
    let parsed = parse(name, text.as_bytes(), &Limits::default());
    assert!(started.elapsed() < Duration::from_secs(20), "{} bytes took {:?}", text.len(), started.elapsed());
    parsed
}

fn codes(parsed: &Parsed) -> Vec<&'static str> {
    parsed.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn aliases_of_aliases_are_counted() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let refs = vec![format!("*a{}", level - 1); 9].join(", ");
        writeln!(text, "a{level}: &a{level} [{refs}]").unwrap();
    }
    assert_eq!(codes(&read("a.yaml", &text)), ["PAL-D0005"]);
}

#[test]
fn a_ladder_of_aliases_cannot_nest_without_end() {
    let mut text = String::from("a0: &a0 [x]\n");
    for level in 1..20_000 {
        writeln!(text, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    assert_eq!(codes(&read("a.yaml", &text)), ["PAL-D0004"]);
}

#[test]
fn nested_anchors_cannot_multiply_memory() {
    let mut open = String::new();
    for level in 0..100 {
        write!(open, "&n{level} [").unwrap();
    }
    let text = format!("{open}{}{}", "x,".repeat(300_000), "]".repeat(100));
    assert_eq!(codes(&read("a.yaml", &text)), ["PAL-D0005"]);
}

#[test]
fn depth_is_bounded_in_every_style() {
    let n = 100_000;
    let mut ladder = String::new();
    for level in 0..2_000 {
        writeln!(ladder, "{}a:", " ".repeat(level)).unwrap();
    }
    for text in ["[".repeat(n), "{a: ".repeat(n), "- ".repeat(n), "? ".repeat(n), "[{".repeat(n), ladder] {
        assert_eq!(codes(&read("a.yaml", &text)), ["PAL-D0004"], "{:?}", text.get(..10));
    }
    assert_eq!(codes(&read("a.json", &"[".repeat(n))), ["PAL-D0004"]);
    assert_eq!(codes(&read("a.json", &"{\"a\":".repeat(n))), ["PAL-D0004"]);
}

#[test]
fn a_file_above_the_limit_is_not_read() {
    let text = format!("a: {}", "x".repeat(100 << 20));
    assert_eq!(codes(&read("a.yaml", &text)), ["PAL-D0003"]);
}

#[test]
fn huge_scalars_are_read_in_one_pass() {
    let size = 4 << 20;
    let plain = format!("a: {}\nb: \"{}\"\nc: '{}'\n", "x".repeat(size), "y".repeat(size), "z".repeat(size));
    assert_eq!(read("a.yaml", &plain).documents.len(), 1);
    let folded = format!("a: >\n{}\n", "  word\n".repeat(size / 7));
    assert_eq!(read("a.yaml", &folded).documents.len(), 1);
    let lines = format!("a: {}", "x\n ".repeat(size / 8));
    assert_eq!(read("a.yaml", &lines).documents.len(), 1);
    let quoted = format!("a: \"{}\"", "\\n \n ".repeat(size / 16));
    assert_eq!(read("a.yaml", &quoted).documents.len(), 1);
}

#[test]
fn many_keys_items_and_documents_stay_linear() {
    let mut keys = String::new();
    for n in 0..50_000 {
        writeln!(keys, "k{n}: {n}").unwrap();
    }
    assert_eq!(read("a.yaml", &keys).documents.len(), 1);
    let items = "- x\n".repeat(200_000);
    assert_eq!(read("a.yaml", &items).documents.len(), 1);
    let documents = "---\na: 1\n".repeat(110_000);
    let parsed = read("a.yaml", &documents);
    assert_eq!((parsed.documents.len(), codes(&parsed)), (100_000, vec!["PAL-D0005"]));
    assert_eq!(read("a.yaml", &"---\n".repeat(99_999)).documents.len(), 0);
    assert_eq!(read("a.yaml", &"...\n".repeat(200_000)).documents.len(), 0);
    let broken = "---\na: [\n".repeat(20_000);
    assert_eq!(codes(&read("a.yaml", &broken)).len(), 20_000);
}

#[test]
fn odd_runs_of_one_character_stay_linear() {
    let n = 1 << 18;
    for unit in [
        " ", "\t", "\n", "#", "# x\n", "-", ":", "?", "!", "&", "*", "'", "\"", "|", "&a ", "!a ", "a ", "a: ", "%\n",
        "\\", "\r", ",", "\u{FEFF}",
    ] {
        for prefix in ["", "a: ", "a: \"", "a: '", "[", "{"] {
            read("a.yaml", &format!("{prefix}{}", unit.repeat(n / unit.len() / 4)));
        }
    }
}

#[test]
fn keys_have_a_bounded_length() {
    assert_eq!(codes(&read("a.yaml", &format!("{}: 1", "k".repeat(1 << 20)))), ["PAL-D0020"]);
    assert!(read("a.yaml", &format!("? {}\n: 1", "k".repeat(1 << 20))).diagnostics.is_empty());
}

#[test]
fn bytes_that_are_not_text_are_named() {
    for bytes in [b"a: \xFF".as_slice(), b"\xFF\xFE\x00\xD8", b"a: \0b", b"\x80\x80", b"a: \xC2"] {
        let parsed = parse("a.yaml", bytes, &Limits::default());
        assert!(["PAL-D0001", "PAL-D0002"].contains(&parsed.diagnostics[0].code));
        assert!(!parsed.diagnostics[0].labels.is_empty() && !parsed.diagnostics[0].help.is_empty());
    }
}

#[test]
fn what_comes_before_a_control_character_is_kept() {
    let parsed = parse("a.yaml", b"a: 1\n---\nb: 2\n---\nc: \x07\n---\nd: 4\n", &Limits::default());
    assert_eq!(parsed.documents.len(), 2);
    assert_eq!(
        parsed.diagnostics[0].to_string(),
        "a.yaml:5:4: error[PAL-D0002]: the control character U+0007 is not allowed in YAML"
    );
}

#[test]
fn the_deepest_document_that_is_read_can_be_written_and_dropped() {
    let text = format!("{}x{}", "[".repeat(128), "]".repeat(128));
    let parsed = read("a.yaml", &text);
    let value = parsed.documents[0].value.clone();
    let printed = write::to_yaml(&value);
    assert_eq!(read("a.yaml", &printed).documents[0].value, value);
}
