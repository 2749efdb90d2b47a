//! Installs the programs that benchmarks compare with, through their own package registries, into the target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::say;
use crate::shell::{Result, output, run};

const KYVERNO: &str = "github.com/kyverno/kyverno";
const KYVERNO_VERSION: &str = "v1.19.1";

/// Peers that `go install` builds as they are: the program, and its package at a version.
const PROGRAMS: &[(&str, &str)] = &[
    ("opa", "github.com/open-policy-agent/opa@v1.22.2"),
    ("conftest", "github.com/open-policy-agent/conftest@v0.71.1"),
    ("gator", "github.com/open-policy-agent/gatekeeper/v3/cmd/gator@v3.23.1"),
];

/// Installs every peer that this machine can build.
pub(crate) fn install() -> Result<()> {
    if output(Command::new("go").arg("version")).is_err() {
        return Err("Go is needed to build the peers; install it from your system's packages and run this again".into());
    }
    let folder = folder()?;
    for (program, package) in PROGRAMS {
        install_program(&folder, program, package)?;
    }
    kyverno(&folder)
}

fn install_program(folder: &Path, program: &str, package: &str) -> Result<()> {
    let path = folder.join(program);
    if path.exists() {
        say(&format!("{program} is installed: {}", path.display()));
        return Ok(());
    }
    say(&format!("building {package}; some minutes on two cores"));
    run(Command::new("go").env("CGO_ENABLED", "0").env("GOBIN", folder).args(["install", package]))
}

/// Where peers are put.
fn folder() -> Result<PathBuf> {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or("target".into());
    let folder = Path::new(&target).join("peers");
    fs::create_dir_all(&folder).map_err(|error| format!("creating `{}`: {error}", folder.display()))?;
    folder.canonicalize().map_err(|error| format!("finding `{}`: {error}", folder.display()))
}

/// Kyverno's command line. Its module has replace directives, which `go install` refuses, so it is built as the main
/// module of a copy.
fn kyverno(folder: &Path) -> Result<()> {
    let program = folder.join("kyverno");
    if program.exists() {
        say(&format!("kyverno is installed: {}", program.display()));
        return Ok(());
    }
    say(&format!("building kyverno {KYVERNO_VERSION}; about ten minutes on two cores"));
    let module = format!("{KYVERNO}@{KYVERNO_VERSION}");
    let facts = output(Command::new("go").args(["mod", "download", "-json", &module]))?;
    let source = facts
        .lines()
        .find_map(|line| line.trim().strip_prefix("\"Dir\": \""))
        .and_then(|rest| rest.split('"').next())
        .ok_or("`go mod download` named no folder")?
        .to_owned();
    let copy = folder.join("kyverno-source");
    run(Command::new("cp").args(["-R", &source]).arg(&copy))?;
    run(Command::new("chmod").args(["-R", "u+w"]).arg(&copy))?;
    let built = run(Command::new("go")
        .current_dir(&copy)
        .env("CGO_ENABLED", "0")
        .args(["build", "-o"])
        .arg(&program)
        .arg("./cmd/cli/kubectl-kyverno"));
    fs::remove_dir_all(&copy).map_err(|error| format!("removing `{}`: {error}", copy.display()))?;
    built
}
