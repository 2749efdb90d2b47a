//! The one table of who may depend on whom. Dependencies point inward; adding an edge is a decision made here.

/// Each crate of the workspace with the crates of ours that it may depend on.
pub(crate) const EDGES: &[(&str, &[&str])] = &[
    ("palisade-model", &[]),
    ("palisade-packs", &[]),
    ("palisade-gotext", &["palisade-model"]),
    ("palisade-document", &["palisade-model", "palisade-gotext"]),
    ("palisade-policy", &["palisade-model"]),
    ("palisade-crypto", &["palisade-model", "palisade-gotext"]),
    ("palisade-rego-value", &["palisade-model", "palisade-gotext"]),
    ("palisade-schema", &["palisade-model", "palisade-gotext", "palisade-rego-value"]),
    ("palisade-cel", &["palisade-model", "palisade-gotext", "palisade-document", "palisade-policy", "palisade-crypto"]),
    (
        "palisade-rego",
        &[
            "palisade-model",
            "palisade-gotext",
            "palisade-document",
            "palisade-policy",
            "palisade-crypto",
            "palisade-rego-value",
            "palisade-schema",
        ],
    ),
    (
        "palisade-gatekeeper",
        &["palisade-model", "palisade-gotext", "palisade-document", "palisade-policy", "palisade-cel", "palisade-rego"],
    ),
    (
        "palisade-jmespath",
        &["palisade-model", "palisade-gotext", "palisade-document", "palisade-policy", "palisade-cel"],
    ),
    ("palisade-pod-security", &["palisade-model", "palisade-gotext"]),
    ("palisade-kyverno-cel", &["palisade-model", "palisade-document", "palisade-policy", "palisade-cel"]),
    (
        "palisade-kyverno",
        &[
            "palisade-model",
            "palisade-gotext",
            "palisade-document",
            "palisade-policy",
            "palisade-cel",
            "palisade-jmespath",
            "palisade-pod-security",
            "palisade-kyverno-cel",
        ],
    ),
    ("palisade-admission", &["palisade-model", "palisade-document", "palisade-policy"]),
    ("palisade-testkit", &[]),
    (
        "palisade-policies",
        &[
            "palisade-model",
            "palisade-document",
            "palisade-policy",
            "palisade-admission",
            "palisade-cel",
            "palisade-rego",
            "palisade-gatekeeper",
            "palisade-kyverno",
            "palisade-packs",
        ],
    ),
    ("palisade-config", &["palisade-model", "palisade-gotext"]),
    ("palisade-store", &["palisade-model", "palisade-config"]),
    (
        "palisade-kube",
        &["palisade-model", "palisade-gotext", "palisade-config", "palisade-policy", "palisade-admission"],
    ),
    (
        "palisade-server",
        &[
            "palisade-model",
            "palisade-gotext",
            "palisade-document",
            "palisade-policy",
            "palisade-admission",
            "palisade-policies",
            "palisade-config",
            "palisade-store",
            "palisade-kube",
        ],
    ),
    (
        "palisade",
        &[
            "palisade-admission",
            "palisade-config",
            "palisade-store",
            "palisade-kube",
            "palisade-policies",
            "palisade-server",
            "palisade-model",
            "palisade-document",
            "palisade-policy",
            "palisade-cel",
            "palisade-rego",
            "palisade-gatekeeper",
            "palisade-kyverno",
            "palisade-packs",
        ],
    ),
    (
        "palisade-bench",
        &[
            "palisade-model",
            "palisade-document",
            "palisade-policy",
            "palisade-cel",
            "palisade-rego",
            "palisade-rego-value",
            "palisade-gatekeeper",
            "palisade-kyverno",
            "palisade-admission",
            "palisade",
        ],
    ),
    ("xtask", &[]),
];

/// Further crates of ours that the tests of a crate may use: the languages that a pure crate is tried on, real servers.
pub(crate) const TEST_EDGES: &[(&str, &[&str])] = &[
    ("palisade-admission", &["palisade-cel", "palisade-rego", "palisade-gatekeeper", "palisade-kyverno"]),
    ("palisade-store", &["palisade-testkit"]),
    ("palisade-kube", &["palisade-kyverno", "palisade-testkit"]),
    ("palisade-server", &["palisade-testkit"]),
    ("palisade", &["palisade-kube", "palisade-testkit"]),
];

/// Dependencies that only one crate may name, so that replacing one touches one crate.
pub(crate) const OWNERS: &[(&str, &[&str])] = &[
    ("clap", &["palisade", "palisade-bench"]),
    ("annotate-snippets", &["palisade"]),
    ("quick-junit", &["palisade"]),
    ("toml", &["palisade", "palisade-config"]),
    ("indicatif", &["palisade"]),
    ("ureq", &["palisade"]),
    ("mimalloc", &["palisade"]),
    ("ignore", &["palisade-document"]),
    ("saphyr-parser", &["palisade-document"]),
    ("granit-parser", &["palisade-document"]),
    ("sqlx", &["palisade-store"]),
    ("kube", &["palisade-kube"]),
    ("k8s-openapi", &["palisade-kube"]),
    ("axum", &["palisade-server"]),
    ("opentelemetry-otlp", &["palisade-server"]),
    ("prometheus-client", &["palisade-server"]),
    ("rcgen", &["palisade-kube", "palisade-server", "palisade-testkit"]),
];

/// Crates that decide: they may not name what reads clocks, files, networks or the environment.
pub(crate) const PURE: &[&str] = &[
    "palisade-model",
    "palisade-policy",
    "palisade-gotext",
    "palisade-crypto",
    "palisade-rego-value",
    "palisade-schema",
    "palisade-cel",
    "palisade-rego",
    "palisade-gatekeeper",
    "palisade-jmespath",
    "palisade-pod-security",
    "palisade-kyverno-cel",
    "palisade-kyverno",
    "palisade-admission",
];

/// What a pure crate's source may not mention.
pub(crate) const IMPURE: &[&str] = &[
    "std::fs",
    "TcpStream",
    "UdpSocket",
    "ToSocketAddrs",
    "std::env",
    "std::process",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "Instant::now",
];
