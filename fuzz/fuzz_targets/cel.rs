//! Any text: a CEL expression compiles or is refused with a place inside it, and evaluates within its budget, both
//! without a panic; the same evaluation gives the same value and costs the same.
//!
//! Run with `cargo +nightly fuzz run cel`. Every file of `corpus/cel` is replayed by the tests of `crates/guard/cel`.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use palisade_cel::library::{kubernetes, standard};
use palisade_cel::{Bindings, Budget, Env, Type};

fuzz_target!(|source: &str| {
    static ENV: OnceLock<Env> = OnceLock::new();
    let env = ENV.get_or_init(|| {
        let libraries = standard::extensions().into_iter().chain(kubernetes::network_library());
        Env::builder().libraries(libraries).variable("x", Type::Dyn).build()
    });
    if let Err(errors) = env.compile(source) {
        assert!(errors.iter().all(|error| source.get(error.span.clone()).is_some()), "{errors:?}");
    }
    for program in [env.compile(source), env.compile_unchecked(source)].into_iter().flatten() {
        let run = || {
            let mut budget = Budget::new(100_000);
            let value = program.evaluate(&Bindings::new().with("x", 1_i64), &mut budget);
            (format!("{value:?}"), budget.spent())
        };
        assert_eq!(run(), run());
    }
});
