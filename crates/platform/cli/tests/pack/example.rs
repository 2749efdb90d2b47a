//! The example company: what was planted is found, and the rest of the repository stays readable.

use std::collections::BTreeSet;

use crate::runner::{check, repository};

/// The list in the example's README, as file and rule. What only the company itself can know, such as which registries
/// are its own, is left to its policies.
const PLANTED: &[(&str, &str)] = &[
    ("catalog.yaml", "image-tag"),
    ("reports.yaml", "image-tag"),
    ("recommendations.yaml", "image-tag"),
    ("recommendations.yaml", "run-as-non-root"),
    ("recommendations.yaml", "seccomp-profile"),
    ("search.yaml", "privileged-containers"),
    ("search.yaml", "run-as-user"),
    ("search.yaml", "secret-in-environment"),
    ("payments.yaml", "host-namespaces"),
    ("payments.yaml", "added-capabilities"),
    ("payments.yaml", "default-service-account-token"),
    ("orders.yaml", "host-path-volumes"),
    ("accounts.yaml", "secret-in-environment"),
    ("accounts.yaml", "default-service-account-token"),
    ("cart.yaml", "resource-requests"),
    ("cart.yaml", "memory-limit"),
    ("checkout.yaml", "owner-label"),
    ("namespaces.yaml", "owner-label"),
    ("notifications.yaml", "default-namespace"),
    ("inventory.yaml", "service-node-port"),
    ("shipping.yaml", "ingress-tls"),
    ("platform-access.yaml", "rbac-wildcard-verbs"),
    ("platform-access.yaml", "rbac-secrets"),
    ("platform-access.yaml", "cluster-admin-binding"),
];

#[test]
fn what_was_planted_is_found_and_little_else() {
    let found = check(&[repository().join("examples/shop/deploy")], &["pack:kubernetes".into()]);
    let file = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let seen: BTreeSet<(String, String)> = found.iter().map(|f| (file(&f.file), f.rule.clone())).collect();
    for (name, rule) in PLANTED {
        assert!(seen.contains(&((*name).to_owned(), (*rule).to_owned())), "{rule} was not found in {name}");
    }
    assert!(!seen.iter().any(|(name, _)| name == "storefront.yaml"), "the model service must be clean");
    assert!(found.len() <= PLANTED.len() + 12, "the planted mistakes drown: {found:#?}");
}
