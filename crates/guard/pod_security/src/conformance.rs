//! Whether a pod of Kubernetes' own test data gets the verdict that its folder says, by the path that rules take.

use palisade_model::Value;

use super::{Level, Version, evaluate};

/// Judges a pod that is expected to pass or fail; `Err` says why the verdict is another one.
pub fn check(level: Level, version: Version, expect_allowed: bool, pod: &Value) -> Result<(), String> {
    let result = evaluate(level, version, &[], pod)?;
    if result.allowed == expect_allowed {
        return Ok(());
    }
    let details: Vec<&str> = result.checks.iter().map(|check| check.detail.as_str()).collect();
    Err(if result.allowed {
        "no check forbids the pod".to_owned()
    } else {
        format!("forbidden: {}", details.join("; "))
    })
}
