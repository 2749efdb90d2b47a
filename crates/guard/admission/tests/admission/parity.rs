//! One verdict everywhere: what `check` says of an object in a file, a webhook says of the request that creates it, and
//! the background scan of the object that was stored.
//!
//! Every policy is asked about every object of the corpora. Differences that are right by definition are told apart
//! mechanically: by asking `check` again with what only a request knows, and by what the policy says of where it is asked.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use palisade_admission::{Review, mutate, validate};
use palisade_model::{Decision, Resource, Value, Verdict};
use palisade_policy::{AdmissionRequest, Environment, Operation, Phase, Policy, Request};
use palisade_verdict::{About, Answers, Door, Place, Ruleset, Sheet, finding};

use crate::corpora::{Group, groups};
use crate::material::{created, load, offline, request_about, review, ruleset_of};

/// How often what happened.
#[derive(Debug, Default)]
struct Totals {
    counts: Mutex<BTreeMap<&'static str, usize>>,
    differences: Mutex<Vec<String>>,
}

impl Totals {
    fn count(&self, what: &'static str) {
        *self.counts.lock().unwrap().entry(what).or_default() += 1;
    }

    fn differ(&self, what: String) {
        self.differences.lock().unwrap().push(what);
    }
}

/// What was said of an object by validating rules: how often each verdict was given, and each violation.
type Said = ([u32; 5], Vec<(String, Verdict, String, String)>);

/// As `check` shows it.
fn said_by_check(policy: &Arc<dyn Policy>, object: &Value, answers: &Answers) -> Said {
    let (mut counts, mut violations) = ([0; 5], Vec::new());
    for (_, outcome) in answers.outcomes.iter().filter(|(_, outcome)| outcome.phase == Phase::Validate) {
        // No more is shown of these.
        if matches!(outcome.verdict, Verdict::Pass | Verdict::Skip) {
            counts[outcome.verdict as usize] += 1;
            continue;
        }
        let (reference, resource) = (Arc::new(policy.reference().clone()), Resource::in_memory(object.clone()));
        let about = About { name: resource.to_string().into(), resource, part: "".into() };
        let shown = finding(&**policy, &reference, outcome, &Place::named(outcome), &about);
        counts[shown.verdict as usize] += 1;
        if matches!(shown.verdict, Verdict::Fail | Verdict::Warn | Verdict::Error) {
            violations.push((shown.rule.to_string(), shown.verdict, shown.message.to_string(), shown.path.to_string()));
        }
    }
    (counts, violations)
}

fn said_by(decision: &Decision) -> Said {
    let by = &decision.counts;
    let mut counts = [0; 5];
    for (verdict, count) in [
        (Verdict::Pass, by.pass),
        (Verdict::Skip, by.skip),
        (Verdict::Warn, by.warn),
        (Verdict::Fail, by.fail),
        (Verdict::Error, by.error),
    ] {
        counts[verdict as usize] = count;
    }
    let violation = |finding: &palisade_model::Finding| {
        (finding.rule.to_string(), finding.verdict, finding.message.to_string(), finding.path.to_string())
    };
    (counts, decision.findings.iter().map(violation).collect())
}

/// An object as each checkpoint is given it.
struct Subject {
    object: Value,
    checked: Request,
    review: Review,
}

impl Subject {
    fn new(object: Value) -> Self {
        let checked = Request::admission(AdmissionRequest::of(&Resource::in_memory(object.clone()), Operation::Create));
        Self { checked, review: review(&request_about(&object, Operation::Create)), object }
    }
}

/// An object before a policy at all three checkpoints.
struct Case<'a> {
    policy: &'a Arc<dyn Policy>,
    ruleset: Ruleset,
    environment: &'a Environment<'a>,
    totals: &'a Totals,
    group: &'a str,
}

impl Case<'_> {
    fn check(&self, object: &Value, request: &Request) -> Answers {
        let resource = Resource::in_memory(object.clone());
        let sheet = Sheet::new(&[Phase::Mutate, Phase::Validate, Phase::Generate], &resource, "");
        self.ruleset.ask(request, &Door::Files(sheet), self.environment)
    }

    fn put(&self, Subject { object, checked, review }: &Subject) {
        if !self.policy.may_apply(checked) {
            return;
        }
        let judgement = self.check(object, checked);
        let stored = judgement.patched.clone().unwrap_or_else(|| object.clone());
        let check = said_by_check(self.policy, &stored, &judgement);
        self.totals.count("policy and object, by check");
        let reach = &self.policy.info().reach;
        if reach.admission {
            self.compare_admission(object, review, &check, judgement.patched.as_ref());
        } else {
            self.totals.count("not asked at admission, by the policy's own word");
        }
        if reach.background {
            self.compare_scan(&stored, &check);
        } else if self.policy.info().has_phase(Phase::Validate) {
            self.totals.count("not scanned, by the policy's own word");
        }
    }

    fn compare_admission(&self, object: &Value, review: &Review, check: &Said, patched: Option<&Value>) {
        let mut validated = review.clone();
        let mutated = mutate(&self.ruleset, review, self.environment);
        let changed = mutated.patched.as_ref() == patched.filter(|patched| *patched != object);
        validated.request.object = mutated.patched.unwrap_or_else(|| object.clone());
        let admission = said_by(&validate(&self.ruleset, &validated, self.environment));
        if changed && admission == *check {
            self.totals.count("admission says the same");
            return;
        }
        // With what only the request knows, `check` must say the same.
        let informed = Request::admission(review.request.clone());
        let judgement = self.check(object, &informed);
        let again = said_by_check(self.policy, &validated.request.object, &judgement);
        let same_change = judgement.patched.as_ref().unwrap_or(object) == &validated.request.object;
        if same_change && again == admission {
            self.totals.count("admission differs by who asks");
        } else {
            self.differ("admission", object, check, &admission);
        }
    }

    fn compare_scan(&self, stored: &Value, check: &Said) {
        let scan = said_by(&self.ruleset.scan(&created(stored), self.environment));
        if scan == *check {
            self.totals.count("scan says the same");
        } else {
            self.differ("scan", stored, check, &scan);
        }
    }

    fn differ(&self, checkpoint: &str, object: &Value, check: &Said, other: &Said) {
        let resource = Resource::in_memory(object.clone());
        let policy = self.policy.reference();
        let text = format!("{}: {policy} about {resource}: check {check:?}, {checkpoint} {other:?}", self.group);
        self.totals.differ(text);
    }
}

fn put_all(group: &Group, subjects: &[Subject], totals: &Totals) {
    let (policies, _) = load(&group.documents);
    offline(|environment| {
        for policy in &policies {
            totals.count("policies");
            let ruleset = ruleset_of(vec![policy.clone()]);
            let case = Case { policy, ruleset, environment, totals, group: &group.name };
            for subject in subjects {
                case.put(subject);
            }
        }
    });
}

#[test]
fn check_admission_and_scan_agree_on_the_corpora() {
    let Some(groups) = groups() else { return };
    // As an API server stores them: members that are null are dropped before anybody is asked.
    let distinct: BTreeMap<String, Value> = groups
        .iter()
        .flat_map(Group::objects)
        .map(|resource| resource.object.without_null_members())
        .map(|object| (object.to_canonical_json(), object))
        .collect();
    let subjects: Vec<Subject> = distinct.into_values().map(Subject::new).collect();
    let (totals, next) = (Totals::default(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                    put_all(group, &subjects, &totals);
                }
            });
        }
    });
    let (counts, differences) = (totals.counts.into_inner().unwrap(), totals.differences.into_inner().unwrap());
    println!("{:>8} distinct objects", subjects.len());
    for (what, count) in &counts {
        println!("{count:>8} {what}");
    }
    println!("{:>8} differences", differences.len());
    for difference in differences.iter().take(50) {
        println!("  {difference}");
    }
    assert!(counts.get("admission says the same").is_some_and(|count| *count > 1_000));
    assert!(counts.get("scan says the same").is_some_and(|count| *count > 1_000));
    assert!(differences.is_empty());
}
