//! `cargo x run`: the main job on embedded defaults, for somebody who has just cloned the repository.

use std::process::Command;

use crate::say;
use crate::shell::{Result, cargo};

const CONFIG: &str = "examples/shop/palisade.toml";
const MANIFESTS: &str = "examples/shop/deploy";

/// Builds the command, judges the example company's repository, and serves what was found until it is interrupted.
pub(crate) fn run() -> Result<()> {
    // Naming the benchmarks' package too gives the crates the features that they have in `cargo x test`: one build serves both.
    cargo(&["build", "--locked", "--package", "palisade", "--package", "palisade-bench", "--bin", "palisade"])?;
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or("target".into());
    let program = format!("{target}/debug/palisade");
    say(&format!("palisade check {MANIFESTS}"));
    match palisade(&program, &["check", MANIFESTS, "--config", CONFIG, "--quiet"])? {
        Some(1) => {}
        Some(code) => {
            return Err(format!(
                "the example must have findings (exit code 1), but `palisade check` ended with {code}"
            ));
        }
        None => return Err("`palisade check` was ended by a signal".into()),
    }
    say("these are the mistakes that the example company's policies find in its own manifests");
    say("now the same as a server: http://127.0.0.1:8420; log in by the link below, then open /api/v1/findings");
    say("open examples/shop/README.md for the story, docs/guide/README.md for your own repository; Ctrl-C ends it");
    let state = format!("{target}/demo");
    let serve = ["serve", "--config", CONFIG, "--inventory", MANIFESTS, "--state", &state];
    match palisade(&program, &serve)? {
        Some(0) | None => Ok(()),
        Some(code) => Err(format!("`palisade serve` ended with {code}; is another server running on its address?")),
    }
}

/// Runs the command to its end; its exit code, none where a signal ended it.
fn palisade(program: &str, arguments: &[&str]) -> Result<Option<i32>> {
    let status = Command::new(program).args(arguments).status();
    status.map(|status| status.code()).map_err(|error| format!("starting `{program}`: {error}"))
}
