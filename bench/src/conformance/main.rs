//! `cargo x conformance`: public test suites through the same code paths as the commands.
//!
//! Suites are read in place from a folder beside the repository and never copied into it. A suite that is absent is
//! skipped with a printed reason. A failure that is not on the suite's list of expected ones fails the run; so does an
//! expected failure that passes now, because the lists may only shrink.

#![allow(clippy::print_stdout, reason = "a conformance run's result is what it prints")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use serde::Serialize;

mod cel;
mod expected;
mod rego;
mod suites;

use suites::{SUITES, Tally};

/// Public conformance suites.
#[derive(Debug, Parser)]
struct Args {
    /// Folder of the suites, one folder each
    #[arg(long, env = "PALISADE_CORPORA", default_value = "../shared/corpora")]
    corpora: PathBuf,
    /// Only this suite
    #[arg(long)]
    suite: Option<String>,
    /// Print as `text` or `json`
    #[arg(long, default_value = "text", value_parser = ["text", "json"])]
    format: String,
    /// List every failure
    #[arg(long)]
    failures: bool,
}

#[derive(Serialize)]
struct Body {
    schema_version: &'static str,
    suites: Vec<Row>,
}

/// What one suite came to.
#[derive(Serialize)]
struct Row {
    suite: &'static str,
    total: usize,
    passed: usize,
    failed: usize,
    expected_failures: usize,
    seconds: f64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let json = args.format == "json";
    let mut rows = Vec::new();
    let mut sound = true;
    for suite in SUITES.iter().filter(|suite| args.suite.as_deref().is_none_or(|name| name == suite.folder)) {
        let folder = args.corpora.join(suite.folder);
        if !folder.is_dir() {
            eprint(&format!("{}: skipped, `{}` is absent", suite.folder, folder.display()));
            continue;
        }
        let start = Instant::now();
        let tally = (suite.run)(&folder);
        let seconds = start.elapsed().as_secs_f64();
        sound &= report(suite.folder, &tally, args.failures, json);
        rows.push(Row {
            suite: suite.folder,
            total: tally.total(),
            passed: tally.passed,
            failed: tally.failed.len(),
            expected_failures: tally.expected.len(),
            seconds,
        });
    }
    if args.suite.as_deref().is_some_and(|name| SUITES.iter().all(|suite| suite.folder != name)) {
        let known: Vec<_> = SUITES.iter().map(|suite| suite.folder).collect();
        eprint(&format!("no such suite; one of {}", known.join(", ")));
        return ExitCode::from(2);
    }
    print_rows(rows, json);
    if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Lists what went wrong; says whether the suite is as it must be.
fn report(suite: &str, tally: &Tally, failures: bool, json: bool) -> bool {
    let show = |text: String| if json { eprint(&text) } else { println!("{text}") };
    for case in &tally.failed {
        show(format!("{suite}: FAILED {}: {}", case.name, case.why));
    }
    if failures {
        for case in &tally.expected {
            show(format!("{suite}: expected {}: {}", case.name, case.why));
        }
    }
    for name in &tally.unexpectedly_passed {
        show(format!("{suite}: `{name}` passes now; remove it from the list of expected failures"));
    }
    let empty = tally.total() == 0;
    if empty {
        show(format!("{suite}: FAILED: no case was run"));
    }
    tally.failed.is_empty() && tally.unexpectedly_passed.is_empty() && !empty
}

fn print_rows(rows: Vec<Row>, json: bool) {
    if json {
        let body = Body { schema_version: "1", suites: rows };
        println!("{}", serde_json::to_string_pretty(&body).unwrap_or_default());
        return;
    }
    println!("{:<18} {:>7} {:>7} {:>7} {:>9} {:>9}", "suite", "total", "passed", "failed", "expected", "seconds");
    for row in rows {
        println!(
            "{:<18} {:>7} {:>7} {:>7} {:>9} {:>9.2}",
            row.suite, row.total, row.passed, row.failed, row.expected_failures, row.seconds
        );
    }
}

#[expect(clippy::print_stderr, reason = "progress and reasons go beside the result")]
fn eprint(text: &str) {
    eprintln!("{text}");
}
