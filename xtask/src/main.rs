//! Developer commands: `cargo x <task>`. Nothing to install first, and no dependencies, so that it builds in seconds.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod edges;
mod new;
mod peers;
mod real;
mod shell;
mod showcase;
mod tidy;
mod tools;

use shell::{Result, cargo};

const HELP: &str = "cargo x <task>

  run                 build, judge the example company, say what to look at
  test                everything a change must pass: format, lints, tidy, tests, conformance
  conformance [ARGS]  public suites through the commands' code paths (--suite NAME --failures --format json)
  bench [ARGS]        benchmarks, beside the peers that are installed
  real DIR [POLICIES] every command over the repositories in DIR; fails where mutate --write takes a line away
  peers               install the peers that benchmarks compare with, into the target folder
  tools               kube-apiserver, kubectl, etcd and helm for the tests, from Go modules, into ~/.cache/palisade
  tidy                the rules of the house that no compiler checks
  gen                 reference pages under docs/reference, roles and kinds of the chart, from the code
  defaults            what an API server fills in, asked from the one of the tools: crates/guard/kubernetes/data
  new capability NAME the files of a capability of the server, to be filled
  fuzz [SECONDS]      every fuzz target for SECONDS (default 60); needs nightly and cargo-fuzz
";

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let task = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    match dispatch(&task, &rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&format!("x {task}: {why}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(task: &str, rest: &[String]) -> Result<()> {
    env::set_current_dir(root()).map_err(|error| format!("entering the repository: {error}"))?;
    match task {
        "run" => showcase::run(),
        "test" => test(),
        "conformance" => measure("conformance", rest),
        "bench" => bench(rest),
        "real" => real::run(rest),
        "peers" => peers::install(),
        "tools" => tools::install(),
        "tidy" => tidy::check(),
        "gen" => generate(),
        "defaults" => defaults(),
        "new" => new::run(rest),
        "fuzz" => fuzz(rest),
        _ => Err(format!("no such task\n\n{HELP}")),
    }
}

/// The repository's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// One feature set and one profile for lints, tests and conformance, so that nothing is built twice.
fn test() -> Result<()> {
    say("format");
    cargo(&["fmt", "--all", "--check"]).map_err(|why| format!("{why}; `cargo fmt --all` mends it"))?;
    say("tidy");
    tidy::check()?;
    say("lints");
    cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"])?;
    say("tools");
    tools::install_if_possible()?;
    say("tests");
    cargo(&["test", "--workspace", "--locked", "--no-fail-fast"])?;
    say("conformance");
    measure("conformance", &[])
}

/// Runs one of the measuring programs in `bench/`.
fn measure(program: &str, rest: &[String]) -> Result<()> {
    let mut arguments = vec!["run", "--quiet", "--locked", "--package", "palisade-bench", "--bin", program, "--"];
    arguments.extend(rest.iter().map(String::as_str));
    cargo(&arguments)
}

fn bench(rest: &[String]) -> Result<()> {
    cargo(&["build", "--release", "--locked", "--package", "palisade", "--package", "palisade-bench"])?;
    let mut arguments =
        vec!["run", "--release", "--quiet", "--locked", "--package", "palisade-bench", "--bin", "bench", "--"];
    arguments.extend(rest.iter().map(String::as_str));
    cargo(&arguments)
}

/// The tests that compare the files also write them, so that the two cannot differ.
fn generate() -> Result<()> {
    let pages = [
        ("palisade", "--lib reference_pages"),
        ("palisade", "--test chart roles_and_kinds"),
        ("palisade-server", "--test server reference_page"),
    ];
    for (package, tests) in pages {
        let mut command = std::process::Command::new("cargo");
        command.args(["test", "--quiet", "--locked", "--package", package]).args(tests.split(' '));
        shell::run(command.env("PALISADE_BLESS", "1"))?;
    }
    Ok(())
}

/// The test that compares the table with a real API server also writes it.
fn defaults() -> Result<()> {
    let mut command = std::process::Command::new("cargo");
    command.args(["test", "--locked", "--workspace", "--test", "api_server", "--", "--test-threads=1"]);
    shell::run(command.env("PALISADE_BLESS", "1").env("PALISADE_REQUIRE_SERVERS", "1"))
}

fn fuzz(rest: &[String]) -> Result<()> {
    let seconds = rest.first().map_or("60", String::as_str);
    let limit = format!("-max_total_time={seconds}");
    let targets =
        std::fs::read_dir("fuzz/fuzz_targets").map_err(|error| format!("reading fuzz/fuzz_targets: {error}"))?;
    for target in targets.flatten() {
        let name = target.path().file_stem().unwrap_or_default().to_string_lossy().into_owned();
        say(&format!("fuzz {name}"));
        // What is found on the way goes into the first folder; the seeds stay as they are.
        let (found, seeds) = (format!("fuzz/target/corpus/{name}"), format!("fuzz/corpus/{name}"));
        std::fs::create_dir_all(&found).map_err(|error| format!("making {found}: {error}"))?;
        cargo(&["+nightly", "fuzz", "run", &name, &found, &seeds, "--", &limit, "-timeout=10", "-rss_limit_mb=2048"])
            .map_err(|why| format!("{why}; if cargo-fuzz is missing: cargo install cargo-fuzz"))?;
    }
    Ok(())
}

/// Says on stderr what is being done.
#[expect(clippy::print_stderr, reason = "this is the one place where xtask talks")]
pub(crate) fn say(text: &str) {
    eprintln!("\u{2022} {text}");
}
