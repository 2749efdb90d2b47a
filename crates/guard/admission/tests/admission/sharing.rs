//! Policies that are loaded together compute what they have in common once for a request. No answer may depend on that: each
//! policy says the same alone, and runs out of a limited budget at the same place.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use palisade_model::{Resource, Value};
use palisade_policy::{AdmissionRequest, Environment, Operation, Phase, Policy, Request};
use palisade_verdict::Door;

use crate::corpora::groups;
use crate::material::{documents, load, offline, ruleset_of};

/// Kinds of policies that look at nothing loaded beside them.
const KINDS: [&str; 2] = ["ValidatingPolicy", "ValidatingAdmissionPolicy"];

struct Together {
    all: Vec<Arc<dyn Policy>>,
    alone: Vec<Arc<dyn Policy>>,
}

impl Together {
    fn load(policies: &[Resource]) -> Self {
        let all = load(policies).0;
        let by_digest: BTreeMap<_, _> = policies
            .iter()
            .flat_map(|document| load(std::slice::from_ref(document)).0)
            .map(|policy| (policy.reference().digest.clone(), policy))
            .collect();
        let alone = all.iter().map(|policy| by_digest[&policy.reference().digest].clone()).collect();
        Self { all, alone }
    }

    /// How many answers agree about an object.
    fn compare(&self, object: &Value, operation: Operation, environment: &Environment<'_>) -> usize {
        let admission = AdmissionRequest::of(&Resource::in_memory(object.clone()), operation);
        let request = || Request::admission(admission.clone());
        let ask = |policies: &[Arc<dyn Policy>]| {
            let door = Door::Controller(&[Phase::Validate]);
            let answers = ruleset_of(policies.to_vec()).ask(&request(), &door, environment);
            answers.outcomes.into_iter().map(|(_, outcome)| format!("{outcome:?}")).collect::<Vec<_>>()
        };
        let together = ask(&self.all);
        let alone: Vec<_> = self.alone.iter().flat_map(|policy| ask(std::slice::from_ref(policy))).collect();
        assert_eq!(together, alone, "{} within {}", object.to_json(), environment.cel_cost_limit);
        together.len()
    }
}

fn read(path: &Path) -> Vec<Resource> {
    documents("a.yaml", &std::fs::read(path).unwrap_or_default())
}

#[test]
fn the_rules_of_the_pack_answer_alone_as_they_do_together() {
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../packs/kubernetes");
    let (mut policies, mut objects) = (Vec::new(), Vec::new());
    for group in ["baseline", "restricted"] {
        let mut folders: Vec<_> =
            std::fs::read_dir(pack.join(group)).unwrap().map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        for folder in folders {
            policies.extend(read(&folder.join("rule.yaml")));
            objects.extend(["pass.yaml", "fail.yaml"].iter().flat_map(|name| read(&folder.join(name))));
        }
    }
    let together = Together::load(&policies);
    assert!(together.all.len() > 15 && objects.len() > 30);
    let compared = offline(|environment| -> usize {
        let within = |limit: u64, (at, object): (usize, &Resource)| {
            let operation = if at % 5 == 0 { Operation::Update } else { Operation::Create };
            together.compare(&object.object, operation, &Environment { cel_cost_limit: limit, ..*environment })
        };
        let whole: usize = objects.iter().enumerate().map(|object| within(environment.cel_cost_limit, object)).sum();
        // Every place at which a condition, a variable or a check may run out.
        let some = || objects.iter().enumerate().step_by(objects.len() / 6);
        whole
            + (0..160)
                .flat_map(|limit| some().map(move |object| (limit, object)))
                .map(|(l, o)| within(l, o))
                .sum::<usize>()
    });
    assert!(compared > 1_000, "{compared}");
}

#[test]
fn the_policies_of_the_corpora_answer_alone_as_they_do_together() {
    let Some(groups) = groups() else { return };
    let kind = |document: &&Resource| KINDS.contains(&document.kind());
    let of_groups = || groups.iter().flat_map(|group| &group.documents);
    let policies: Vec<Resource> = of_groups().filter(kind).cloned().collect();
    let objects: BTreeMap<String, Value> = groups
        .iter()
        .flat_map(super::corpora::Group::objects)
        .map(|resource| (resource.object.to_canonical_json(), resource.object.clone()))
        .collect();
    let together = Together::load(&policies);
    let compared = offline(|environment| -> usize {
        let tight = Environment { cel_cost_limit: 25, ..*environment };
        let both = |object: &Value| {
            together.compare(object, Operation::Create, environment)
                + together.compare(object, Operation::Create, &tight)
        };
        objects.values().step_by(8).map(both).sum()
    });
    println!("{compared} answers of {} policies compared", together.all.len());
    assert!(compared > 1_000, "{compared}");
}
