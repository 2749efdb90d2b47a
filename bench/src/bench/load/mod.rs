//! `palisade serve` under load: 500 connections with reviews of pods, the Pod Security pack, every answer checked.
//!
//! The load generator runs in this process on one thread and counts against the same processors. *Paced* connections send
//! at a given rate, which tells how long a review takes while there is room; *saturated* ones send as fast as they are
//! answered, which tells how many are answered at most (by then all but a few of the 500 wait their turn). `opa run
//! --server` is asked the same over the same connections. Deliberately absent: a cluster; `admission` measures one review
//! without a server around it.

mod client;
mod process;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Context;
use client::{Kind, Load, Outcome, Pace, Target};
use process::{Server, free_port};

/// Connections, each kept open.
const CONNECTIONS: usize = 500;
/// Reviews a second of the paced runs.
const RATE: u32 = 5_000;
/// How often the policies are exchanged.
const FLIP: Duration = Duration::from_millis(200);
/// Rules like those of the pack, for the peer.
const REGO: &str = include_str!("pod_security.rego");

/// Prints a line per run.
pub(crate) fn run(context: &Context) -> Result<(), String> {
    let seconds = if context.quick { 5 } else { 20 };
    let folder = context.work.join("serve");
    let policies = ["pack:kubernetes/baseline".to_owned(), "pack:kubernetes/restricted".to_owned()];
    println!("{CONNECTIONS} connections, half of the pods good, {seconds} s a run, load generator on one thread");
    println!(
        "{:<34} {:>10} {:>9} {:>9} {:>11} {:>9}",
        "run", "reviews/s", "p50 ms", "p99 ms", "server p99", "peak MiB"
    );
    for (name, tls) in [("plain", false), ("TLS", true)] {
        for pace in [Pace::Rate(RATE), Pace::Saturated] {
            let server = Server::palisade(context, &folder, &policies)?;
            let target = server.target(tls);
            let outcome = load(target, pace, seconds, Kind::PodSecurity)?;
            row(&format!("palisade, {name}, {pace}"), &outcome, Some(&server))?;
        }
    }
    reload(context, &folder, seconds)?;
    opa(context, &folder, seconds)
}

fn load(target: Target, pace: Pace, seconds: u64, kind: Kind) -> Result<Outcome, String> {
    // A second to warm up, so that connections and pools are there.
    Load { target: target.clone(), pace, time: Duration::from_secs(1), connections: CONNECTIONS, kind }.run()?;
    Load { target, pace, time: Duration::from_secs(seconds), connections: CONNECTIONS, kind }.run()
}

fn row(name: &str, outcome: &Outcome, server: Option<&Server>) -> Result<(), String> {
    let (p99, peak) = match server {
        Some(server) => {
            let metrics = server.metrics()?;
            (format!("{:.2} ms", metrics.p99_seconds * 1e3), metrics.peak_bytes / f64::from(1 << 20))
        }
        None => ("-".into(), f64::NAN),
    };
    let (rate, p50, p99_client) = (outcome.rate(), outcome.percentile(0.5), outcome.percentile(0.99));
    println!("{name:<34} {rate:>10.0} {p50:>9.2} {p99_client:>9.2} {p99:>11} {peak:>9.1}");
    if outcome.wrong > 0 || outcome.lost > 0 {
        return Err(format!("{} answers were wrong and {} did not come", outcome.wrong, outcome.lost));
    }
    Ok(())
}

/// The policies are exchanged all the time; every answer has to be that of one version or of the other.
fn reload(context: &Context, folder: &Path, seconds: u64) -> Result<(), String> {
    let policies = folder.join("flipping");
    let failed = |error: std::io::Error| format!("writing the policies: {error}");
    fs::create_dir_all(&policies).map_err(failed)?;
    let write = |version: usize| {
        let (next, file) = (folder.join("next.yaml"), policies.join("policy.yaml"));
        fs::write(&next, policy(version)).and_then(|()| fs::rename(&next, &file)).map_err(failed)
    };
    write(1)?;
    let server = Server::palisade(context, folder, &[crate::process::text(&policies)])?;
    let before = server.metrics()?.loads;
    let target = server.target(true);
    let running = std::thread::spawn(move || load(target, Pace::Saturated, seconds, Kind::Flipping));
    let (mut version, started) = (1, Instant::now());
    while !running.is_finished() && started.elapsed() < Duration::from_secs(seconds + 60) {
        std::thread::sleep(FLIP);
        version = 3 - version;
        write(version)?;
    }
    let outcome = running.join().map_err(|_| "the load generator failed")??;
    row("palisade, TLS, policies exchanged", &outcome, Some(&server))?;
    let (loads, [one, two]) = (server.metrics()?.loads - before, outcome.versions);
    println!("  {loads:.0} loads; {one} answers by one version, {two} by the other, none by another or by none");
    if one == 0 || two == 0 { Err("only one of the versions answered".into()) } else { Ok(()) }
}

/// A policy that denies every pod, with its version in the message.
fn policy(version: usize) -> String {
    format!(
        "apiVersion: policies.kyverno.io/v1\nkind: ValidatingPolicy\nmetadata:\n  name: flipping\nspec:\n  \
         validationActions: [Deny]\n  matchConstraints:\n    resourceRules:\n      - apiGroups: [\"\"]\n        \
         apiVersions: [v1]\n        operations: [CREATE, UPDATE]\n        resources: [pods]\n  validations:\n    - \
         message: \"version-{version}\"\n      expression: object.metadata.name == 'version-{version}'\n"
    )
}

/// The same reviews before OPA.
fn opa(context: &Context, folder: &Path, seconds: u64) -> Result<(), String> {
    let Some(program) = context.peer("opa") else { return Ok(()) };
    let rego = folder.join("pod_security.rego");
    fs::write(&rego, REGO).map_err(|error| format!("writing `{}`: {error}", rego.display()))?;
    for pace in [Pace::Rate(RATE), Pace::Saturated] {
        let port = free_port()?;
        let server = Server::opa(&program, &rego, port)?;
        let target = Target { address: server.address, tls: false, path: "/" };
        let outcome = load(target, pace, seconds, Kind::PodSecurity)?;
        row(&format!("opa, plain, {pace}"), &outcome, None)?;
    }
    Ok(())
}
