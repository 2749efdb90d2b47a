//! `cargo x bench`: how fast Palisade is, and how fast its peers are on the same files in the same run.
//!
//! Whole processes are measured from outside (wall and processor time, peak memory), single requests inside this
//! process. Figures are medians of several runs. A peer that is not installed is left out with a printed reason.

#![allow(clippy::print_stdout, reason = "a benchmark's result is what it prints")]

use std::path::PathBuf;

use clap::Parser;

mod admission;
mod latency;
mod load;
mod process;
mod rego;
mod workload;

/// Benchmarks of Palisade, beside its peers where `cargo x peers` has installed them.
#[derive(Debug, Parser)]
struct Args {
    /// Fewer and smaller runs
    #[arg(long)]
    quick: bool,
    /// Only sections whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// Folder of the public suites
    #[arg(long, env = "PALISADE_CORPORA", default_value = "../shared/corpora")]
    corpora: PathBuf,
}

/// What every section needs to know.
struct Context {
    quick: bool,
    corpora: PathBuf,
    palisade: PathBuf,
    peers: PathBuf,
    work: PathBuf,
}

impl Context {
    /// A peer's program; says so where it is not installed.
    fn peer(&self, name: &str) -> Option<PathBuf> {
        let program = self.peers.join(name);
        if !program.exists() {
            println!("{name} is not installed (`cargo x peers`): its figures are left out");
        }
        program.exists().then_some(program)
    }
}

type Section = (&'static str, fn(&Context) -> Result<(), String>);

const SECTIONS: &[Section] = &[
    ("corpus", process::corpus),
    ("check", process::check),
    ("threads", process::threads),
    ("kyverno", process::kyverno),
    ("conftest", rego::conftest),
    ("opa", rego::opa),
    ("gator", rego::gator),
    ("latency", latency::run),
    ("admission-load", load::run),
    ("admission", admission::run),
];

fn main() -> Result<(), String> {
    if let Some(measured) = process::measured_child() {
        return measured;
    }
    let args = Args::parse();
    let target = std::env::var("CARGO_TARGET_DIR").map_or_else(|_| PathBuf::from("target"), PathBuf::from);
    let context = Context {
        quick: args.quick,
        corpora: args.corpora,
        palisade: target.join("release/palisade"),
        peers: target.join("peers"),
        work: target.join("bench"),
    };
    for (name, section) in SECTIONS.iter().filter(|(name, _)| name.contains(&args.only)) {
        println!("## {name}");
        section(&context)?;
        println!();
    }
    Ok(())
}
