//! A pair of JSON values, `[policy, resource]`: patterns, conditions and Pod Security checks end without a panic and
//! within their budget, and the same input gives the same answer.
//!
//! Run with `cargo +nightly fuzz run pattern`. Every file of `corpus/pattern` is replayed by the tests of
//! `legacy::pattern` in `crates/guard/kyverno`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_kyverno::legacy::condition::Conditions;
use palisade_kyverno::legacy::pattern::Pattern;
use palisade_model::Value;
use palisade_pod_security::{Exclusion, Level, Version};
use palisade_policy::steps::Steps;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(pair) = Value::from_json(text) else { return };
    let (Some(policy), Some(resource)) = (pair.at(0), pair.at(1)) else { return };

    let pattern = Pattern::compile(policy);
    let judge = || pattern.validate(resource, &Steps::new(100_000, None));
    assert_eq!(judge(), judge());

    if let Ok(conditions) = Conditions::parse(policy) {
        let _ = conditions.evaluate(&mut |value| Ok(value.clone()), &Steps::new(100_000, None));
    }

    let everything = Exclusion { control: "Capabilities".into(), images: vec!["*".into()], ..Exclusion::default() };
    for version in [Version::Minor(0), Version::Minor(24), Version::Latest] {
        let strict = palisade_pod_security::evaluate(Level::Restricted, version, &[], resource);
        let lenient = palisade_pod_security::evaluate(Level::Restricted, version, &[everything.clone()], resource);
        if let (Ok(strict), Ok(lenient)) = (strict, lenient) {
            assert!(lenient.checks.len() <= strict.checks.len());
        }
    }
});
