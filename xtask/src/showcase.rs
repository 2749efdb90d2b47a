//! `cargo x run`: the main job on embedded defaults, for somebody who has just cloned the repository.

use std::process::Command;

use crate::say;
use crate::shell::{Result, cargo};

/// Builds the command, judges the example company's repository and says what to look at.
pub(crate) fn run() -> Result<()> {
    cargo(&["build", "--locked", "--package", "palisade"])?;
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or("target".into());
    let program = format!("{target}/debug/palisade");
    let status = Command::new(&program)
        .args(["check", "examples/shop/deploy", "--config", "examples/shop/palisade.toml"])
        .status()
        .map_err(|error| format!("starting `{program}`: {error}"))?;
    match status.code() {
        Some(1) => {
            say("these are the mistakes that the example company's policies find in its own manifests");
            say("open examples/shop/README.md for the story, docs/guide/README.md for your own repository");
            say(&format!("try: {program} check PATH --policies PATH"));
            Ok(())
        }
        Some(code) => {
            Err(format!("the example must have findings (exit code 1), but `palisade check` ended with {code}"))
        }
        None => Err("`palisade check` was ended by a signal".into()),
    }
}
