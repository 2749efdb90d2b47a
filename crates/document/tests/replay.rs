//! Replays the seeds of the fuzz targets, with the targets' assertions, on the stable compiler.

#![allow(clippy::disallowed_methods, reason = "tests read files and watch the time")]

use std::path::Path;

use palisade_document::comment::{comments, subjects};
use palisade_document::{Limits, decode, edit, parse, parse_toml, write};
use palisade_model::{SpanTree, Value};

#[expect(clippy::unwrap_used, reason = "a missing seed fails the test")]
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut seeds: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), std::fs::read(&path).unwrap()))
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "no seeds in {}", folder.display());
    seeds
}

#[test]
fn yaml_seeds_are_written_and_edited_faithfully() {
    for (name, bytes) in seeds("yaml") {
        let parsed = parse("seed.yaml", &bytes, &Limits::default());
        assert!(!parsed.documents.is_empty() || !parsed.diagnostics.is_empty(), "{name}");
        if let Some(first) = parsed.documents.first() {
            let found = comments(&first.source, &Limits::default());
            let said = subjects(&parsed.documents, &found);
            assert!(found.iter().all(|comment| first.source.slice(comment.span).starts_with('#')), "{name}");
            assert!(
                said.iter().flatten().all(|(at, path)| path.resolve(&parsed.documents[*at].value).is_some()),
                "{name}"
            );
        }
        for document in &parsed.documents {
            let text = write::to_yaml(&document.value);
            let again = parse("again.yaml", text.as_bytes(), &Limits::default());
            assert_eq!(again.documents.first().map(|again| &again.value), Some(&document.value), "{name}");
            if parsed.diagnostics.is_empty() {
                let wanted = Value::array(vec![document.value.clone()]);
                edit::apply(document, &wanted).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }
}

#[test]
fn json_seeds_agree_with_serde() {
    for (name, bytes) in seeds("json") {
        let parsed = parse("seed.json", &bytes, &Limits::default());
        assert!(!parsed.documents.is_empty() || !parsed.diagnostics.is_empty(), "{name}");
        if let Ok(value) = Value::from_json(&String::from_utf8_lossy(&bytes)) {
            assert_eq!(parsed.documents.first().map(|document| &document.value), Some(&value), "{name}");
        }
    }
}

#[test]
fn toml_seeds_point_into_their_files() {
    for (name, bytes) in seeds("toml") {
        let Ok(source) = decode("seed.toml", &bytes) else { continue };
        let parsed = parse_toml(source.clone(), &Limits::default());
        assert!(
            parsed.documents.len() <= 1 && (parsed.documents.is_empty() || parsed.diagnostics.is_empty()),
            "{name}"
        );
        for document in &parsed.documents {
            assert_places(&document.spans, source.text(), &name);
        }
        for label in parsed.diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels) {
            assert!(source.text().get(label.location.span.range()).is_some(), "{name}");
        }
    }
}

fn assert_places(tree: &SpanTree, text: &str, name: &str) {
    assert!(text.get(tree.span.range()).is_some(), "{name}");
    for child in &tree.children {
        assert!(text.get(child.key.range()).is_some(), "{name}");
        assert_places(&child.tree, text, name);
    }
}
