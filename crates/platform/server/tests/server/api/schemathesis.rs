//! The document and the server agree, as schemathesis sees it: every check, valid and invalid data.

use std::path::PathBuf;
use std::process::Command;

use jiff::Timestamp;

use super::desk::{Desk, decided, observed};

const VERSION: &str = "4.32.5";

/// The program, installed on first use; the reason why it cannot be had otherwise.
fn program() -> Result<PathBuf, String> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home).ok_or("there is no home folder")?;
    let folder = cache.join("palisade").join(format!("schemathesis-{VERSION}"));
    let program = folder.join("bin/schemathesis");
    let run = |command: &mut Command, what: &str| {
        let output = command.output().map_err(|error| format!("{what}: {error}"))?;
        let trouble = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(format!("{what}: {trouble}")) }
    };
    if run(Command::new(&program).arg("--version"), "asking it").is_err() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder), "python3 is needed")?;
        let package = format!("schemathesis=={VERSION}");
        run(Command::new(folder.join("bin/pip")).args(["install", "--quiet", &package]), "installing it")?;
    }
    Ok(program)
}

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing() {
    let program = match program() {
        Ok(program) => program,
        Err(reason) => {
            println!("skipped: schemathesis {VERSION} is not here: {reason}");
            return;
        }
    };
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    desk.store.record_observations(&[observed("a", "pod", 60, Timestamp::now())]).await.unwrap();
    desk.store.append_decisions(&[decided("a", "pod", Timestamp::now())]).await.unwrap();
    let examples = std::env::var("PALISADE_SCHEMATHESIS_EXAMPLES").unwrap_or_else(|_| "20".into());
    let configuration = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server/api/schemathesis.toml");
    let work = std::env::temp_dir().join(format!("palisade-schemathesis-{}", std::process::id()));
    std::fs::create_dir_all(&work).unwrap();
    let mut command = Command::new(program);
    command.current_dir(&work).arg("--config-file").arg(configuration).arg("run");
    command.arg(format!("{}/api/v1/openapi.json", desk.url)).arg("--header");
    command.arg(format!("Authorization: Bearer {admin}")).args(["--checks", "all", "--max-examples", &examples]);
    command.args(["--continue-on-failure", "--no-color", "--seed", "1"]);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let _ = std::fs::remove_dir_all(&work);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    println!("{}", text.lines().rev().take(12).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n"));
}
