//! Any bytes: the JSON reader ends without a panic and agrees with serde_json on what is JSON.
//!
//! Run with `cargo +nightly fuzz run json`. Every file of `corpus/json` is replayed by `crates/document/tests/replay.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_document::{Limits, parse};
use palisade_model::{Level, Value};

fuzz_target!(|bytes: &[u8]| {
    let parsed = parse("fuzz.json", bytes, &Limits::default());
    let accepted = parsed.diagnostics.iter().all(|diagnostic| diagnostic.level < Level::Error);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Value::from_json(text) {
        Ok(Value::Null) => assert!(accepted && parsed.documents.is_empty()),
        Ok(value) => {
            // A byte order mark, and depth and numbers beyond the limits, are where the two may differ.
            if accepted {
                assert!(parsed.documents.first().is_some_and(|document| close(&document.value, &value)), "{text}");
            }
        }
        Err(_) if accepted => assert!(parsed.documents.len() != 1 || text.starts_with('\u{FEFF}'), "{text}"),
        Err(_) => {}
    }
});

/// Equal, but for the last bits of doubles: serde_json rounds them less exactly.
fn close(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| close(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| close(a, b)))
        }
        (Value::Float(a), Value::Float(b)) => (a - b).abs() <= a.abs() * 1e-12,
        _ => a == b,
    }
}
