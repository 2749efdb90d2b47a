//! Failures that are known, each with its reason: `bench/expected-failures/SUITE.txt`, lines of `case # reason`.

use std::collections::BTreeMap;

/// The list of a suite, embedded so that the program runs from anywhere.
pub(crate) fn list(suite: &str) -> BTreeMap<&'static str, &'static str> {
    let text = match suite {
        "cel-spec" => include_str!("../../expected-failures/cel-spec.txt"),
        "kyverno-policies" => include_str!("../../expected-failures/kyverno-policies.txt"),
        "pod-security" => include_str!("../../expected-failures/pod-security.txt"),
        _ => "",
    };
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| line.split_once(" # ").unwrap_or((line, "no reason given")))
        .map(|(case, reason)| (case.trim(), reason.trim()))
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_expected_failure_has_its_reason() {
        for suite in ["cel-spec", "kyverno-policies", "pod-security"] {
            for (case, reason) in super::list(suite) {
                assert!(reason.len() > 15 && reason != "no reason given", "{suite}: {case} has no reason");
            }
        }
    }
}
