//! Any text: TOML is read or refused, without a panic, and every place lies in the text.
//!
//! Run with `cargo +nightly fuzz run toml`. Every file of `corpus/toml` is replayed by the tests of `crates/document`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_document::{Limits, decode, parse_toml};
use palisade_model::SpanTree;

fuzz_target!(|bytes: &[u8]| {
    let Ok(source) = decode("fuzz.toml", bytes) else { return };
    let parsed = parse_toml(source.clone(), &Limits::default());
    assert!(parsed.documents.is_empty() || parsed.diagnostics.is_empty());
    for document in &parsed.documents {
        assert_places(&document.spans, source.text());
    }
    for label in parsed.diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels) {
        assert!(source.text().get(label.location.span.range()).is_some());
    }
});

fn assert_places(tree: &SpanTree, text: &str) {
    assert!(text.get(tree.span.range()).is_some());
    for child in &tree.children {
        assert!(text.get(child.key.range()).is_some());
        assert_places(&child.tree, text);
    }
}
