//! Any text: Rego of both versions parses or is refused with places inside the text, without a panic; conditions print
//! as text that reads as the same conditions; the same text gives the same tree.
//!
//! Run with `cargo +nightly fuzz run rego`. Every file of `corpus/rego` is replayed by the tests of `crates/guard/rego`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_model::Source;
use palisade_rego::syntax::ast::Version;
use palisade_rego::syntax::{parse, parse_query};

fuzz_target!(|text: &str| {
    for version in [Version::V0, Version::V1] {
        let read = || parse(Source::new("fuzz.rego", text), version);
        let (module, diagnostics) = read();
        assert_eq!(format!("{module:?}"), format!("{:?}", read().0));
        for label in diagnostics.iter().flat_map(|diagnostic| &diagnostic.labels) {
            assert!(text.get(label.location.span.range()).is_some(), "{diagnostics:?}");
        }
        let sound = module.filter(|module| diagnostics.is_empty() && module.version == Version::V1);
        for expression in sound.iter().flat_map(|module| &module.rules).flat_map(|rule| &rule.body) {
            let printed = expression.to_string();
            // Characters that do not print are shown as Go shows them, as OPA does, in escapes that Rego does not have.
            if ["\\x", "\\a", "\\v", "\\U"].iter().any(|escape| printed.contains(escape)) {
                continue;
            }
            let again =
                parse_query(&Source::new("again.rego", printed.as_str())).expect("conditions print as they read");
            assert_eq!(again.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "), printed);
        }
    }
});
