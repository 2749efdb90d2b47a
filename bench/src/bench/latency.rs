//! One request, inside the process: how long a policy of each kind takes to judge a Pod with three containers.

use std::time::Instant;

use jiff::Timestamp;
use palisade_document::{Limits, parse};
use palisade_model::Resource;
use palisade_policy::{AdmissionRequest, Environment, Offline, Operation, Phase, Request, Variables};
use palisade_verdict::{Door, Ruleset};

use crate::{Context, workload};

/// A name for each kind of policy of the workload, with its index there.
const KINDS: &[(&str, usize)] = &[
    ("legacy pattern", 0),
    ("legacy pattern, nested", 1),
    ("legacy deny", 3),
    ("legacy foreach", 4),
    ("legacy pattern, anchors", 5),
    ("ValidatingPolicy, all()", 6),
    ("ValidatingPolicy, two conditions", 7),
    ("ValidatingPolicy, strings", 9),
];

/// Prints median and 99th percentile per kind, request building included.
pub(crate) fn run(context: &Context) -> Result<(), String> {
    let rounds = if context.quick { 2_000 } else { 20_000 };
    println!("{:<36} {:>10} {:>10}", "kind", "median us", "p99 us");
    for (name, index) in KINDS {
        let policies = policy_set(&workload::policy(*index))?;
        let target = resource(&workload::manifest(1))?;
        let mut times = measure(&policies, &target, rounds)?;
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or_default();
        println!("{name:<36} {:>10.2} {:>10.2}", at(0.5), at(0.99));
    }
    Ok(())
}

/// Microseconds of each round.
fn measure(ruleset: &Ruleset, target: &Resource, rounds: usize) -> Result<Vec<f64>, String> {
    let variables = Variables::default();
    let environment = Environment::new(Timestamp::UNIX_EPOCH, &Offline, &variables);
    let mut times = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let start = Instant::now();
        let request = Request::admission(AdmissionRequest::of(target, Operation::Create));
        let door = Door::Controller(&[Phase::Mutate, Phase::Validate, Phase::Generate]);
        let answers = ruleset.ask(&request, &door, &environment);
        times.push(start.elapsed().as_secs_f64() * 1e6);
        if answers.outcomes.is_empty() {
            return Err("the policy does not select the resource, so there is nothing to measure".into());
        }
    }
    Ok(times)
}

fn policy_set(text: &str) -> Result<Ruleset, String> {
    let loaded = palisade_kyverno::LANGUAGE.load(&[resource(text)?], &[]);
    match loaded.diagnostics.first() {
        Some(diagnostic) => Err(format!("a benchmark's policy cannot be loaded: {diagnostic}")),
        None => Ok(Ruleset::of(loaded.policies)),
    }
}

fn resource(text: &str) -> Result<Resource, String> {
    let parsed = parse("workload.yaml", text.as_bytes(), &Limits::default());
    parsed.documents.first().map(palisade_document::Document::resource).ok_or_else(|| "an empty workload".into())
}
