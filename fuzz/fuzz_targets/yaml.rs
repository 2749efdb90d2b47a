//! Any bytes: the YAML reader ends without a panic, and what it read is written, read back and edited faithfully.
//!
//! Run with `cargo +nightly fuzz run yaml`. Every file of `corpus/yaml` is replayed by `crates/document/tests/replay.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_document::{Limits, edit, parse, write};
use palisade_model::Value;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { max_nodes: 100_000, max_alias_expansion: 10_000, ..Limits::default() };
    let parsed = parse("fuzz.yaml", bytes, &limits);
    for document in &parsed.documents {
        let text = write::to_yaml(&document.value);
        let again = parse("again.yaml", text.as_bytes(), &Limits::default());
        assert_eq!(again.documents.first().map(|again| &again.value), Some(&document.value), "{text}");
    }
    if let (Some(document), true) = (parsed.documents.first(), parsed.diagnostics.is_empty()) {
        let mut wanted = document.value.clone();
        match wanted.as_object_mut() {
            Some(map) => {
                map.insert("added by the fuzzer", Value::from("yes"));
            }
            None => wanted = Value::array(vec![wanted]),
        }
        // An edit may be refused, but the text it returns must read back: `apply` checks that itself.
        let _ = edit::apply(document, &wanted);
    }
});
