//! A pair of JSON values, `[change, resource]`: strategic merges, JSON patches and merge patches end without a panic
//! and within their budget, the same input gives the same answer, and the difference between two values leads from
//! one to the other.
//!
//! Run with `cargo +nightly fuzz run merge`. Every file of `corpus/merge` is replayed by the tests of
//! `legacy::mutate::strategic` in `crates/guard/kyverno`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_kyverno::legacy::mutate::strategic_merge;
use palisade_model::Value;
use palisade_model::patch::{Dialect, apply, diff, merge};
use palisade_policy::steps::Steps;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(pair) = Value::from_json(text) else { return };
    let (Some(change), Some(resource)) = (pair.at(0), pair.at(1)) else { return };

    let merged = || strategic_merge(resource, change, &Steps::new(100_000, None));
    assert_eq!(merged(), merged());
    for dialect in [Dialect::Kubernetes, Dialect::Kyverno] {
        assert_eq!(apply(resource, change, dialect), apply(resource, change, dialect));
    }
    let results = [merged().unwrap_or_default(), merge(resource, change), change.clone()];
    for result in results.iter().filter(|result| is_document(result) && is_document(resource)) {
        let operations = diff(resource, result);
        assert_eq!(apply(resource, &operations, Dialect::Kubernetes).as_ref(), Ok(result), "{operations}");
    }
});

/// Only an object or an array can be a whole document.
fn is_document(value: &Value) -> bool {
    matches!(value, Value::Object(_) | Value::Array(_))
}
