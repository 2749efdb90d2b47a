//! Every YAML and JSON file of the public corpora is read without an error, and what is written of it reads back.

#![allow(clippy::disallowed_methods, reason = "tests take the time as it is")]

use std::path::PathBuf;

use palisade_document::comment::{comments, subjects};
use palisade_document::{Limits, Parsed, parse, write};
use palisade_intake::folders;
use palisade_model::Level;

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says why")]
fn real_files_are_read_and_written() {
    let root = std::env::var_os("PALISADE_CORPORA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/corpora")),
        PathBuf::from,
    );
    let suites = ["kyverno-policies", "pod-security", "gatekeeper-library", "iac-examples"];
    let roots: Vec<PathBuf> = suites.iter().map(|suite| root.join(suite)).filter(|suite| suite.is_dir()).collect();
    if roots.is_empty() {
        eprintln!("skipped: no corpora at {}", root.display());
        return;
    }
    let walk = folders::files(&roots, &folders::Options::default());
    assert!(walk.diagnostics.is_empty() && !walk.files.is_empty());
    for path in walk.files {
        let name = path.display().to_string();
        let parsed = parse(&name, &std::fs::read(&path).unwrap(), &Limits::default());
        let errors: Vec<_> = parsed.diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).collect();
        assert!(errors.is_empty(), "{errors:?}");
        comments_are_no_content(&name, &parsed);
        for document in parsed.documents {
            let text = write::to_yaml(&document.value);
            let again = parse("a.yaml", text.as_bytes(), &Limits::default());
            assert_eq!(again.documents.first().map(|again| &again.value), Some(&document.value), "{name}\n{text}");
        }
    }
}

/// A file says the same when its comments say nothing, and what they speak of exists.
fn comments_are_no_content(name: &str, parsed: &Parsed) {
    let Some(source) = parsed.documents.first().map(|document| &document.source) else { return };
    let found = comments(source, &Limits::default());
    let mut blank = source.text().to_string();
    for comment in &found {
        let text = source.slice(comment.span);
        assert!(text.starts_with('#') && !text.contains('\n'), "{name}: {text}");
        blank.replace_range(comment.span.range(), &"#".repeat(text.len()));
    }
    let again = parse(name, blank.as_bytes(), &Limits::default());
    let values = |parsed: &Parsed| parsed.documents.iter().map(|document| document.value.clone()).collect::<Vec<_>>();
    assert_eq!(values(&again), values(parsed), "{name}");
    for (document, path) in subjects(&parsed.documents, &found).into_iter().flatten() {
        let node = parsed.documents.get(document).and_then(|document| path.resolve(&document.value));
        assert!(node.is_some(), "{name}: {path}");
    }
}
