//! What the live ruleset would say of an object: the answer of `palisade check` without a deployment. Nothing is stored.
//!
//! Policies look into the same surroundings as at admission: the cluster's watch caches, or nothing where there is none.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use palisade_admission::Review;
use palisade_api::{Body, Code, Problem};
use palisade_identity::{Authorized, Endpoint, Permission, Reach, Role};
use palisade_model::{Decision, Resource, Value};
use palisade_policy::environment::Stop;
use palisade_policy::{AdmissionRequest, Environment, Phase, UserInfo, Variables};
use palisade_store::StoredFinding;
use palisade_verdict::Ruleset;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::{Capability, Ground, Plug};
use crate::Context;
use crate::admission::Surroundings;
use crate::capability::findings::FindingBody;
use crate::capability::findings::resources::Counts;
use crate::capability::wire::{Operation, OperationWord};

/// Evaluations that run at once at most; admission has workers of its own.
const AT_ONCE: usize = 4;

/// The capability.
pub(super) const CAPABILITY: Capability = Capability {
    permissions: &[REPLAY],
    ..Capability::new("evaluate", "what the live ruleset would decide about an object", plug)
};

fn plug(ground: &Ground<'_>, plug: &mut Plug) {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let state = Evaluations { context: ground.context.clone(), surroundings: ground.cluster.surroundings(), places };
    plug.routes(&Arc::new(state), endpoints());
}

/// What evaluations share.
struct Evaluations {
    context: Context,
    /// What policies may look into.
    surroundings: Arc<dyn Surroundings>,
    places: Arc<Semaphore>,
}

/// Try the policies on objects; nothing is stored.
const REPLAY: Permission = Permission::new(
    "replay",
    "try the policies on objects; nothing is stored",
    Reach::Team,
    &[Role::Developer, Role::Operator, Role::Approver, Role::Admin],
);

fn endpoints() -> Vec<Endpoint<Arc<Evaluations>>> {
    vec![
        Endpoint::post(REPLAY, "/evaluate", evaluate)
            .named("evaluate", "What the live ruleset would decide about an object. Nothing is stored.")
            .problems(&[Code::Unavailable]),
    ]
}

/// An object to judge.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Evaluation {
    /// The Kubernetes object.
    #[schema(value_type = Object)]
    object: Value,
    /// What is to happen to it; `CREATE` where nothing is said.
    operation: Option<OperationWord>,
    /// The object that it replaces, for `UPDATE`.
    #[schema(value_type = Option<Object>)]
    old_object: Option<Value>,
    /// The namespace, where the object names none.
    #[schema(max_length = 253)]
    namespace: Option<String>,
    /// Who would ask.
    #[schema(max_length = 253)]
    username: Option<String>,
    /// The groups of the one who would ask.
    #[schema(max_items = 100)]
    groups: Option<Vec<String>>,
}

/// What the ruleset would decide.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EvaluatedDecision)]
struct Evaluated {
    /// Whether it may happen.
    allowed: bool,
    /// Why not.
    message: String,
    /// What the one who asks would be told although it may happen.
    warnings: Vec<String>,
    /// Failures, warnings and errors.
    findings: Vec<FindingBody>,
    /// All answers.
    counts: Counts,
    /// The object after mutation, where a mutation changed it.
    #[schema(value_type = Option<Object>)]
    patched: Option<Value>,
    /// SHA-256 of the policies and agreements that judged.
    ruleset_digest: String,
}

impl From<Decision> for Evaluated {
    fn from(decision: Decision) -> Self {
        Self {
            allowed: decision.allowed,
            message: decision.message,
            warnings: decision.warnings,
            findings: decision.findings.iter().map(|finding| StoredFinding::from(finding).into()).collect(),
            counts: decision.counts.into(),
            patched: decision.patched,
            ruleset_digest: decision.ruleset_digest.to_string(),
        }
    }
}

async fn evaluate(
    State(evaluations): State<Arc<Evaluations>>,
    _: Authorized,
    Body(evaluation): Body<Evaluation>,
) -> Result<Json<Evaluated>, Problem> {
    let request = request(evaluation)?;
    let Ok(place) = Arc::clone(&evaluations.places).try_acquire_owned() else {
        return Err(Problem::new(Code::Unavailable, "other objects are being evaluated; try again in a moment"));
    };
    let context = &evaluations.context;
    let (ruleset, now, surroundings) = (context.ruleset(), context.clock.now(), evaluations.surroundings.clone());
    let deadline = Deadline(Instant::now() + context.config.server.limits.request_timeout);
    let work = tokio::task::spawn_blocking(move || {
        // The place is taken until the work ends, even where nobody waits for it any more.
        let _place = place;
        let variables = Variables::default();
        let mut environment = Environment::new(now, &*surroundings, &variables);
        environment.stop = Some(&deadline);
        decide(&ruleset, with_roles(request, &*surroundings), &environment)
    });
    let decision = work.await.map_err(|error| Problem::internal("evaluating an object", &error))?;
    Ok(Json(decision.into()))
}

/// Ends an evaluation that nobody waits for.
struct Deadline(Instant);

impl Stop for Deadline {
    fn is_requested(&self) -> bool {
        Instant::now() >= self.0
    }
}

/// The request with the roles that the surroundings grant to whoever would ask.
fn with_roles(mut request: AdmissionRequest, surroundings: &dyn Surroundings) -> AdmissionRequest {
    let roles = surroundings.roles(&request.user);
    (request.roles, request.cluster_roles) = (roles.roles, roles.cluster_roles);
    request
}

/// The request that would bring the object about.
fn request(evaluation: Evaluation) -> Result<AdmissionRequest, Problem> {
    let Evaluation { object, operation, old_object, namespace, username, groups } = evaluation;
    let resource = Resource::in_memory(object);
    if resource.gvk().is_none_or(|kind| kind.kind.is_empty() || kind.version.is_empty()) {
        let detail = "`object` has no `apiVersion` and `kind`; send a whole Kubernetes object";
        return Err(Problem::new(Code::Unprocessable, detail));
    }
    let operation = match operation.map(|word| word.0).unwrap_or_default() {
        Operation::Create => palisade_policy::Operation::Create,
        Operation::Update => palisade_policy::Operation::Update,
        Operation::Delete => palisade_policy::Operation::Delete,
    };
    let mut request = AdmissionRequest::of(&resource, operation);
    if let Some(old) = old_object {
        request.old_object = old;
    }
    if let Some(namespace) = namespace.filter(|_| request.namespace.is_empty()) {
        request.namespace = namespace.into();
    }
    if request.kind.is_built_in() && !request.kind.is_cluster_scoped() {
        request = request.in_default_namespace();
    }
    request.user = UserInfo {
        username: username.unwrap_or_default().into(),
        groups: groups.unwrap_or_default().into_iter().map(Into::into).collect(),
        ..UserInfo::default()
    };
    request.dry_run = true;
    Ok(request)
}

/// Mutation first, then validation of what came of it, as an API server orders them.
fn decide(ruleset: &Ruleset, request: AdmissionRequest, environment: &Environment<'_>) -> Decision {
    let review = Review { request, ..Review::default() };
    palisade_admission::decide(ruleset, &review, &[Phase::Mutate, Phase::Validate], environment)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use palisade_admission::Roles;
    use palisade_model::{PolicyRef, Verdict, json};
    use palisade_policy::{
        LookupError, Lookups, ObjectQuery, Offline, Policy, PolicyInfo, PolicyMeta, Request, RuleInfo, RuleOutcome,
        forward_lookups,
    };

    use super::*;

    /// Passes where the object's namespace is there and whoever asks is its owner.
    #[derive(Debug)]
    struct Looking(PolicyInfo);

    impl Policy for Looking {
        fn info(&self) -> &PolicyInfo {
            &self.0
        }

        fn may_apply(&self, _: &Request) -> bool {
            true
        }

        fn evaluate(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<RuleOutcome> {
            let Some(admission) = request.as_admission().filter(|_| phase == Phase::Validate) else {
                return Vec::new();
            };
            let query = ObjectQuery { name: admission.namespace.clone(), ..namespaces() };
            let (verdict, message) = match environment.lookups.get(&query) {
                Ok(Value::Null) => (Verdict::Fail, "there is no such namespace".to_owned()),
                Ok(_) if admission.cluster_roles.iter().any(|role| &**role == "owner") => {
                    (Verdict::Pass, String::new())
                }
                Ok(_) => (Verdict::Fail, "somebody else owns it".to_owned()),
                Err(error) => (Verdict::Error, error.to_string()),
            };
            vec![RuleOutcome::new("namespace", phase, verdict, message)]
        }
    }

    fn namespaces() -> ObjectQuery {
        ObjectQuery { resource: "namespaces".into(), ..ObjectQuery::default() }
    }

    /// A cluster with the namespace `shop`, in which jane is an owner.
    struct Shop;

    impl Lookups for Shop {
        forward_lookups!(|_this| Offline; list, objects, call, http, send, global_context, image, namespace);

        fn get(&self, query: &ObjectQuery) -> Result<Value, LookupError> {
            Ok(if &*query.name == "shop" { json!({"metadata": {"name": "shop"}}) } else { Value::Null })
        }
    }

    impl Surroundings for Shop {
        fn roles(&self, user: &UserInfo) -> Roles {
            let owner = &*user.username == "jane";
            Roles { roles: Vec::new(), cluster_roles: if owner { vec!["owner".into()] } else { Vec::new() } }
        }
    }

    #[test]
    fn policies_look_into_the_surroundings() {
        let digest = "0".repeat(64).into();
        let reference = PolicyRef { kind: "TestPolicy".into(), namespace: None, name: "looking".into(), digest };
        let rules = vec![RuleInfo { name: "namespace".into(), phase: Phase::Validate, location: None }];
        let policy = Looking(PolicyInfo::new(reference, PolicyMeta::default(), rules));
        let ruleset = Ruleset::of(vec![Arc::new(policy)]);
        let judged = |namespace: &str, username: &str| {
            let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": namespace}});
            let (operation, old_object, namespace, groups) = (None, None, None, None);
            let username = Some(username.to_owned());
            let asked = Evaluation { object, operation, old_object, namespace, username, groups };
            let variables = Variables::default();
            let environment = Environment::new(Timestamp::UNIX_EPOCH, &Shop, &variables);
            let decision = decide(&ruleset, with_roles(request(asked).unwrap(), &Shop), &environment);
            (decision.allowed, decision.findings.first().map(|finding| finding.message.to_string()))
        };
        assert_eq!(judged("shop", "jane"), (true, None));
        assert_eq!(judged("shop", "eve"), (false, Some("somebody else owns it".into())));
        assert_eq!(judged("elsewhere", "jane"), (false, Some("there is no such namespace".into())));
    }
}
