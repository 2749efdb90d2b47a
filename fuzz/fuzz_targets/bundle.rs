//! Any bytes: a bundle is read or refused with an error, both without a panic and within its limits, packed and not.
//!
//! Run with `cargo +nightly fuzz run bundle`. Every file of `corpus/bundle` is replayed by the tests of
//! `crates/guard/rego`.
#![no_main]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;
use palisade_model::Level;
use palisade_rego::bundle::{Limits, Options, Verification, read_archive};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { max_bytes: 1 << 20, max_files: 100 };
    let options = Options { limits, verification: Verification::Skip, ..Options::default() };
    let mut packed = GzEncoder::new(Vec::new(), Compression::none());
    packed.write_all(bytes).expect("memory can be written to");
    let packed = packed.finish().expect("memory can be written to");
    for archive in [bytes, &packed] {
        let (bundle, diagnostics) = read_archive("fuzz", archive, &options);
        let refused = diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error);
        assert_eq!(bundle.is_none(), refused, "{diagnostics:?}");
    }
});
