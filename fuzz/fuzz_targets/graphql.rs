//! Any text as a GraphQL query and as a schema: read or refused, without a panic or a stack that runs over.
//!
//! Run with `cargo +nightly fuzz run graphql`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_graphql::{parse_query, parse_schema};

fuzz_target!(|text: &str| {
    let _ = (parse_query(text), parse_schema(text));
});
