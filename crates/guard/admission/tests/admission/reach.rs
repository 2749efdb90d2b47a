//! No policy answers a request that its reach leaves out: else a webhook that is registered by reaches would miss it.

use palisade_model::{Value, json};
use palisade_policy::evaluate;
use palisade_policy::{AdmissionRequest, Effect, Operation, Phase, Request, RuleOutcome};

use crate::corpora::groups;
use crate::material::{load, offline, request_about, review};

/// Requests of every operation about an object, and about its most common subresources.
fn requests(object: &Value) -> Vec<AdmissionRequest> {
    let operations = [Operation::Create, Operation::Update, Operation::Delete];
    let mut requests: Vec<_> =
        operations.iter().map(|operation| review(&request_about(object, *operation)).request).collect();
    if object.get("kind").and_then(Value::as_str) == Some("Pod") {
        let of = |sub_resource: &str, operation, changed: Value| {
            let mut request = review(&request_about(&changed, operation)).request;
            request.resource = "pods".into();
            request.sub_resource = sub_resource.into();
            request.resource_of = Some(palisade_policy::GroupVersion { group: "".into(), version: "v1".into() });
            request
        };
        requests.push(of("ephemeralcontainers", Operation::Update, object.clone()));
        let options = json!({"apiVersion": "v1", "kind": "PodExecOptions", "container": "app", "command": ["sh"]});
        requests.push(of("exec", Operation::Connect, options));
        let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web"}});
        requests.push(of("eviction", Operation::Create, eviction));
    }
    requests
}

/// A mutation that changes nothing says nothing.
fn matters(outcome: &RuleOutcome) -> bool {
    outcome.phase != Phase::Mutate || !matches!(outcome.effect, Effect::None)
}

/// Gatekeeper's engine answers about anything of a kind; its webhooks, and our reach with them, leave out what goes away,
/// connections, and the kinds that only subresources have where a constraint does not name them.
fn is_gatekeepers_exception(kind: &str, request: &AdmissionRequest) -> bool {
    let native = ["ClusterPolicy", "Policy", "ValidatingAdmissionPolicy", "MutatingAdmissionPolicy"].contains(&kind)
        || ["ValidatingPolicy", "MutatingPolicy", "GeneratingPolicy", "DeletingPolicy"]
            .iter()
            .any(|k| kind.ends_with(k))
        || kind.ends_with("CleanupPolicy");
    !native && matches!(request.operation, Operation::Delete | Operation::Connect)
}

#[test]
fn a_reach_is_never_narrower_than_its_policy() {
    let Some(groups) = groups() else { return };
    let (mut asked, mut answered, mut excepted) = (0_usize, 0_usize, 0_usize);
    let mut too_narrow = Vec::new();
    for group in &groups {
        let (policies, _) = load(&group.documents);
        let objects: Vec<Value> = group.objects().map(|resource| resource.object.clone()).collect();
        for (policy, request) in
            policies.iter().flat_map(|policy| objects.iter().flat_map(requests).map(move |request| (policy, request)))
        {
            asked += 1;
            let asking = Request::admission(request.clone());
            let speaks = policy.may_apply(&asking)
                && offline(|environment| {
                    let speaks = |phase| evaluate(&**policy, phase, &asking, environment).iter().any(matters);
                    [Phase::Mutate, Phase::Validate, Phase::Generate, Phase::Delete].into_iter().any(speaks)
                });
            answered += usize::from(speaks);
            if !speaks || policy.info().reach.selects(&request) {
                continue;
            }
            if is_gatekeepers_exception(&policy.reference().kind, &request) {
                excepted += 1;
            } else {
                let AdmissionRequest { operation, resource, sub_resource, .. } = &request;
                too_narrow.push(format!("{}: {operation} {resource}/{sub_resource}", policy.reference()));
            }
        }
    }
    println!(
        "{asked} requests put before policies, {answered} answered, {excepted} that Gatekeeper's webhook leaves out"
    );
    too_narrow.sort();
    too_narrow.dedup();
    assert!(too_narrow.is_empty(), "{too_narrow:#?}");
    assert!(answered > 1_000);
}
