//! Any bytes: policies of every language load or are refused with a diagnostic, and what loads judges a Pod that is
//! created, updated and deleted, without a panic and within its limits; the same request gives the same verdicts.
//!
//! Run with `cargo +nightly fuzz run policy`. Every file of `corpus/policy` is replayed by `tests/hostile.rs` of
//! `crates/platform/cli`.
#![no_main]

use std::sync::LazyLock;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use palisade_document::{Document, Limits, expand_lists, parse};
use palisade_model::{Level, Resource};
use palisade_policy::{AdmissionRequest, Environment, Language, Offline, Operation, Phase, Request, Variables};
use palisade_verdict::{Door, Ruleset};

static POD: LazyLock<Resource> = LazyLock::new(|| {
    let text = b"apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}, annotations: {team: a}}
spec:
  containers:
  - {name: a, image: 'nginx:1.25', resources: {limits: {memory: 1Gi}}, ports: [{containerPort: 80}]}
  - {name: b, image: ghcr.io/o/r, securityContext: {privileged: true}, env: [{name: K, value: v}]}
";
    let parsed = parse("pod.yaml", text, &Limits::default());
    parsed.documents.into_iter().next().map(Document::into_resource).expect("the Pod can be read")
});

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { max_nodes: 20_000, max_alias_expansion: 2_000, ..Limits::default() };
    let parsed = parse("fuzz.yaml", bytes, &limits);
    let documents: Vec<_> =
        parsed.documents.into_iter().flat_map(expand_lists).map(Document::into_resource).collect();
    let languages: [&dyn Language; 2] = [palisade_kyverno::LANGUAGE, palisade_cel::admission::LANGUAGE];
    let mut policies = Vec::new();
    for language in languages {
        let (own, others): (Vec<_>, Vec<_>) =
            documents.iter().cloned().partition(|document| language.claims(document));
        let loaded = language.load(&own, &others);
        let errors = loaded.diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error);
        assert!(errors.clone().all(|error| !error.message.is_empty() && !error.code.is_empty()));
        policies.extend(loaded.policies);
    }
    let ruleset = Ruleset::of(policies);
    let door = Door::Controller(&[Phase::Mutate, Phase::Validate, Phase::Generate]);
    let variables = Variables::default();
    let environment = Environment {
        cel_cost_limit: 100_000,
        step_limit: 100_000,
        ..Environment::new(Timestamp::UNIX_EPOCH, &Offline, &variables)
    };
    for operation in [Operation::Create, Operation::Update, Operation::Delete] {
        let mut request = AdmissionRequest::of(&POD, operation);
        if operation == Operation::Update {
            request.old_object = POD.object.clone();
        }
        let judge = || format!("{:?}", ruleset.ask(&Request::admission(request.clone()), &door, &environment));
        assert_eq!(judge(), judge());
    }
});
