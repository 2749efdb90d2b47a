//! What a person or a program reads, word for word: one file a command under `snapshots/`.
//!
//! A change of a message, a format or a help page shows in the diff of its snapshot. `INSTA_UPDATE=always cargo test -p palisade
//! --test commands` writes them anew; read the diff as the person who will meet it.

use super::{BAD, Folder, MUTATION, POLICY};

/// A structured denial: what stands beside `msg` are facts, which every format has to carry.
const STRUCTURED: &str = "package main
# METADATA
# title: images by digest
deny contains {\"msg\": \"the image is not pinned\", \"image\": image, \"cve\": \"CVE-2026-0001\"} if {
\tsome container in input.spec.containers
\timage := container.image
}
";

/// An unknown key, in the line below the right one.
const CONFIGURATION: &str = "[check]\npolicies = ['policy.yaml']\nfail_on = 'high'\n";

/// Name of the snapshot, and the command.
const COMMANDS: &[(&str, &[&str])] = &[
    ("check", &["check", "pod.yaml", "-p", "policy.yaml"]),
    ("check-json", &["check", "pod.yaml", "-p", "policy.yaml", "--format", "json"]),
    ("check-sarif", &["check", "pod.yaml", "-p", "policy.yaml", "--format", "sarif"]),
    ("check-junit", &["check", "pod.yaml", "-p", "policy.yaml", "--format", "junit"]),
    ("check-github", &["check", "pod.yaml", "-p", "policy.yaml", "--format", "github"]),
    ("check-gitlab", &["check", "pod.yaml", "-p", "policy.yaml", "--format", "gitlab"]),
    ("check-markdown", &["check", "pod.yaml", "-p", "policy.yaml", "--format", "markdown"]),
    ("structured", &["check", "pod.yaml", "-p", "structured.rego"]),
    ("structured-json", &["check", "pod.yaml", "-p", "structured.rego", "--format", "json"]),
    ("structured-junit", &["check", "pod.yaml", "-p", "structured.rego", "--format", "junit"]),
    ("broken-input", &["check", "broken.yaml", "-p", "policy.yaml"]),
    ("nothing-evaluated", &["check", "service.yaml", "-p", "policy.yaml"]),
    ("missing-file", &["check", "missing.yaml", "-p", "policy.yaml"]),
    ("unknown-key", &["check", "pod.yaml", "--config", "wrong.toml"]),
    ("unknown-pack", &["check", "pod.yaml", "-p", "pack:kubernetes/basline"]),
    ("mutate-diff", &["mutate", "pod.yaml", "-p", "mutation.yaml", "--diff"]),
    ("list-policies", &["list", "policies", "-p", "policy.yaml"]),
    ("explain-rule", &["explain", "image-tag"]),
    ("explain-code", &["explain", "PAL-D0001"]),
    ("help", &["--help"]),
];

#[test]
fn what_is_shown_is_what_was_reviewed() {
    let files = [
        ("pod.yaml", BAD),
        ("policy.yaml", POLICY),
        ("mutation.yaml", MUTATION),
        ("structured.rego", STRUCTURED),
        ("broken.yaml", "kind: Pod\nspec: [1\nmetadata: 2\n"),
        ("service.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"),
        ("wrong.toml", CONFIGURATION),
    ];
    let folder = Folder::new("snapshots", &files);
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (name, arguments) in COMMANDS {
        let output = folder.run(arguments);
        let said = |bytes: &[u8]| steady(&String::from_utf8_lossy(bytes));
        let code = output.status.code().unwrap_or(-1);
        let shown = format!(
            "$ palisade {}\n{}--- stderr, exit code {code}\n{}",
            arguments.join(" "),
            said(&output.stdout),
            said(&output.stderr)
        );
        settings.bind(|| insta::assert_snapshot!(*name, shown));
    }
}

/// Without what differs from run to run: times and the version.
fn steady(text: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    text.replace(version, "VERSION")
}
