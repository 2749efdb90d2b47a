//! Decisions: what checkpoints answered, and when.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use palisade_api::wire::Time;
use palisade_api::{List, Listing, Part, Problem, Query, UUID, is_uuid, shape, view};
use palisade_identity::permission::READ;
use palisade_identity::{Authorized, Endpoint};
use palisade_store::{DecisionCount, DecisionFilter, DecisionRecord};
use serde::Deserialize;
use utoipa::IntoParams;

use super::{Capability, Ground, Plug};
use crate::Context;
use crate::capability::findings::FindingBody;
use crate::capability::findings::resources::Counts;
use crate::capability::scope;
use crate::capability::wire::{CheckpointWord, DecisionGroupWord};

/// The capability.
pub(super) const CAPABILITY: Capability = Capability {
    tables: &["decisions", "decision_policies"],
    ..Capability::new("decisions", "what checkpoints answered, and when", plug)
};

fn plug(ground: &Ground<'_>, plug: &mut Plug) {
    plug.routes(&Arc::new(ground.context.clone()), endpoints());
}

fn endpoints() -> Vec<Endpoint<Arc<Context>>> {
    vec![
        Endpoint::get(READ, "/decisions", list).named("listDecisions", "Decisions, the newest first."),
        Endpoint::get(READ, "/decisions/counts", count)
            .named("countDecisions", "How many decisions there are per group, the largest group first."),
        Endpoint::get(READ, "/decisions/{decision}", get).named("getDecision", "One decision."),
    ]
}

shape!(
    /// Identifier of a decision.
    DecisionId, "decision", 36, UUID, is_uuid
);

macro_rules! decision_query {
    ($(#[$attribute:meta])* $name:ident { $($(#[$extra_attribute:meta])* $extra:ident: $extra_type:ty,)* }) => {
        $(#[$attribute])*
        #[derive(Debug, Deserialize, IntoParams)]
        #[serde(deny_unknown_fields)]
        struct $name {
            $($(#[$extra_attribute])* $extra: $extra_type,)*
            /// Where it was asked.
            #[param(inline)]
            checkpoint: Option<CheckpointWord>,
            /// Kind of the object.
            kind: Option<String>,
            /// Namespace of the object; empty for objects of the whole cluster.
            namespace: Option<String>,
            /// Name of the object.
            name: Option<String>,
            /// The team that answers for the object.
            team: Option<String>,
            /// The service that the object belongs to.
            service: Option<String>,
            /// A policy that failed, warned or could not be evaluated, as `namespace/name` or `name`.
            policy: Option<String>,
            /// Who asked.
            username: Option<String>,
            /// Whether it was allowed.
            allowed: Option<bool>,
            /// Not before.
            #[param(inline)]
            since: Option<Time>,
            /// Before.
            #[param(inline)]
            until: Option<Time>,
        }

        impl $name {
            /// What to ask the store for, narrowed to what the caller may see.
            fn filter(&self, authorized: &Authorized) -> DecisionFilter {
                DecisionFilter {
                    checkpoint: self.checkpoint.map(|word| word.0),
                    namespace: self.namespace.clone(),
                    kind: self.kind.clone(),
                    name: self.name.clone(),
                    teams: scope::teams(authorized, self.team.clone()),
                    service: self.service.clone(),
                    policy: self.policy.clone(),
                    username: self.username.clone(),
                    allowed: self.allowed,
                    since: self.since.map(|time| time.0),
                    until: self.until.map(|time| time.0),
                }
            }
        }
    };
}

decision_query! {
    /// Which decisions are wanted.
    DecisionQuery {}
}

decision_query! {
    /// Which decisions are counted, and by what.
    CountQuery {
        /// By what they are counted.
        #[param(inline)]
        by: DecisionGroupWord,
    }
}

view! {
    /// A decision.
    #[schema(as = Decision)]
    pub(crate) struct DecisionView of DecisionRecord {
        /// Its identifier.
        id: String,
        /// When.
        time: Time,
        /// Where it was asked.
        checkpoint: CheckpointWord,
        /// What was to happen, such as `CREATE`.
        operation: String,
        /// Whether nothing would have been stored anyway.
        dry_run: bool,
        /// API group, empty for core.
        group: String,
        /// API version.
        version: String,
        /// Kind.
        kind: String,
        /// Namespace, empty for objects of the whole cluster.
        namespace: String,
        /// Name.
        name: String,
        /// Unique identifier in the cluster.
        uid: String,
        /// Subresource, empty for the object itself.
        sub_resource: String,
        /// Who asked.
        username: String,
        /// Groups of the one who asked.
        groups: Vec<String>,
        /// Whether it may happen.
        allowed: bool,
        /// Why not.
        message: String,
        /// What the one who asked was told although it may happen.
        warnings: Vec<String>,
        /// Whether the object was changed.
        patched: bool,
        /// Failures, warnings and errors, in brief.
        findings: Vec<FindingBody> as list,
        /// All answers.
        counts: Counts,
        /// SHA-256 of what was judged.
        input_digest: String,
        /// SHA-256 of the policies that judged.
        ruleset_digest: String,
        /// The team that answers for the object.
        team: String,
        /// The service that the object belongs to.
        service: String,
        /// How long judging took, in microseconds.
        duration_us: u64,
    }
}

view! {
    /// How many decisions there are of a group.
    #[schema(as = DecisionCount)]
    struct CountView of DecisionCount {
        /// The group's name: a team, a policy and so on.
        key: String,
        /// Allowed.
        allowed: u64,
        /// Denied.
        denied: u64,
    }
}

async fn list(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    listing: Listing<DecisionQuery>,
) -> Result<List<DecisionView>, Problem> {
    let filter = listing.filter.filter(&authorized);
    Ok(listing.answer(context.store.list_decisions(&filter, &listing.page).await?))
}

async fn count(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    Query(query): Query<CountQuery>,
) -> Result<List<CountView>, Problem> {
    let counts = context.store.count_decisions(&query.filter(&authorized), query.by.0).await?;
    Ok(List::whole(counts.into_iter().map(CountView::from).collect()))
}

async fn get(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    Part(id, _): Part<DecisionId>,
) -> Result<Json<DecisionView>, Problem> {
    let found = context.store.decision(&id).await?.filter(|found| scope::sees(&authorized, &found.team));
    found.map(|record| Json(record.into())).ok_or_else(|| Problem::not_found("decision"))
}
