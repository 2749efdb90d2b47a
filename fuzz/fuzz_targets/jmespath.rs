//! Any text: a JMESPath expression is parsed or refused with an offset inside it, and ends within its step budget,
//! both without a panic; the same search gives the same answer and takes the same steps.
//!
//! Run with `cargo +nightly fuzz run jmespath`. Every file of `corpus/jmespath` is replayed by the tests of
//! `crates/guard/jmespath`.
#![no_main]

use std::sync::LazyLock;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use palisade_jmespath::{Query, Runtime};
use palisade_model::{Value, json};
use palisade_policy::steps::Steps;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "a": [1, 2.5, -3, [4, [5]], null, "six"],
        "b": {"c": "10Mi", "d": "1h30m", "e": "2026-05-03T10:00:00Z", "f": "10.0.0.0/8", "g": "1.2.3"},
        "l": [{"name": "x", "image": "ghcr.io/o/r:v1"}, {"name": "y", "image": "nginx"}, {"n": true}],
        "s": "{\"k\": [1, 2]}"
    })
});

fuzz_target!(|text: &str| {
    const BUDGET: u64 = 100_000;
    let query = match Query::parse(text) {
        Ok(query) => query,
        Err(error) => {
            assert!(text.get(..error.offset).is_some(), "{error}");
            return;
        }
    };
    let search = || {
        let steps = Steps::new(BUDGET, None);
        let runtime = Runtime { now: Timestamp::UNIX_EPOCH, seed: 7, steps: &steps };
        (format!("{:?}", query.search(&*DOCUMENT, &runtime)), steps.left())
    };
    assert_eq!(search(), search());
});
