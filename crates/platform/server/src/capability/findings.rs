//! Findings: what is wrong now, and what was and is no more.

pub(crate) mod inventory;
pub(crate) mod resources;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use palisade_api::wire::Time;
use palisade_api::{List, Listing, Part, Problem, Query, UUID, is_uuid, shape, view};
use palisade_identity::permission::READ;
use palisade_identity::{Authorized, Endpoint};
use palisade_model::{Address, Control};
use palisade_store::{FindingCount, FindingFilter, FindingGroup, FindingRecord, FindingState, Fix, StoredFinding};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Capability, Ground, Plug};
use crate::Context;
use crate::capability::scope;
use crate::capability::wire::{CheckpointWord, CountBy, CountByWord, OrderWord, SeverityWord, StateWord, VerdictWord};

/// The capability.
pub(super) const CAPABILITY: Capability = Capability {
    tables: &["resources", "findings"],
    ..Capability::new("findings", "what is wrong now, and the inventory of what was judged", plug)
};

fn plug(ground: &Ground<'_>, plug: &mut Plug) {
    let context = Arc::new(ground.context.clone());
    plug.routes(&context, endpoints());
    plug.routes(&context, resources::endpoints());
    if let Some(inventory) = ground.inventory.clone() {
        plug.task("the inventory", move |stop| inventory::keep_current(inventory, (*context).clone(), stop));
    }
}

fn endpoints() -> Vec<Endpoint<Arc<Context>>> {
    vec![
        Endpoint::get(READ, "/findings", list).named("listFindings", "Findings, the newest or worst first."),
        Endpoint::get(READ, "/findings/counts", count)
            .named("countFindings", "How many findings there are per group, the largest group first."),
        Endpoint::get(READ, "/findings/fixes", fixes)
            .named("listFixes", "The changes that would remove the most findings, the one that removes most first."),
        Endpoint::get(READ, "/findings/{finding}", get).named("getFinding", "One finding."),
    ]
}

shape!(
    /// Identifier of a finding.
    FindingId, "finding", 36, UUID, is_uuid
);

macro_rules! finding_query {
    ($(#[$attribute:meta])* $name:ident { $($(#[$extra_attribute:meta])* $extra:ident: $extra_type:ty,)* }) => {
        $(#[$attribute])*
        #[derive(Debug, Deserialize, IntoParams)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[$extra_attribute])* $extra: $extra_type,)*
            /// Identifier of the resource.
            resource: Option<String>,
            /// Where the resource lives: `cluster:NAME` or `file:PATH`.
            source: Option<String>,
            /// Where they were found.
            #[param(inline)]
            checkpoint: Option<CheckpointWord>,
            /// The policy, as `namespace/name` or `name`.
            policy: Option<String>,
            /// The rule.
            rule: Option<String>,
            /// What the rule said.
            #[param(inline)]
            verdict: Option<VerdictWord>,
            /// So severe or worse.
            #[param(inline)]
            severity: Option<SeverityWord>,
            /// Kind of the resource.
            kind: Option<String>,
            /// Namespace of the resource; empty for resources of the whole cluster.
            namespace: Option<String>,
            /// The team that answers for the resource.
            team: Option<String>,
            /// The service that the resource belongs to.
            service: Option<String>,
            /// Whether they count: `counted`, `audited`, `known` or `waived`.
            disposition: Option<String>,
            /// Identity of the finding across runs.
            fingerprint: Option<String>,
            /// A part of the message, the policy, the rule or the resource's name, whatever the case of ASCII letters.
            text: Option<String>,
        }

        impl $name {
            /// What to ask the store for, narrowed to what the caller may see.
            fn filter(&self, authorized: &Authorized) -> FindingFilter {
                FindingFilter {
                    state: FindingState::default(),
                    order: palisade_store::FindingOrder::default(),
                    resource_id: self.resource.clone(),
                    source: self.source.clone(),
                    checkpoint: self.checkpoint.map(|word| word.0),
                    policy: self.policy.clone(),
                    rule: self.rule.clone(),
                    verdict: self.verdict.map(|word| word.0),
                    min_severity: self.severity.map(|word| word.0),
                    kind: self.kind.clone(),
                    namespace: self.namespace.clone(),
                    teams: scope::teams(authorized, self.team.clone()),
                    service: self.service.clone(),
                    disposition: self.disposition.clone(),
                    fingerprint: self.fingerprint.clone(),
                    text: self.text.clone(),
                }
            }
        }
    };
}

finding_query! {
    /// Which findings are wanted.
    FindingQuery {
        /// Whether they still stand; those that do where nothing is said.
        #[param(inline)]
        state: Option<StateWord>,
        /// In which order; the newest first where nothing is said.
        #[param(inline)]
        order: Option<OrderWord>,
    }
}

finding_query! {
    /// Which findings are counted, and by what.
    CountQuery {
        /// Whether they still stand; those that do where nothing is said.
        #[param(inline)]
        state: Option<StateWord>,
        /// By what they are counted.
        #[param(inline)]
        by: CountByWord,
    }
}

finding_query! {
    /// The findings that are to be removed, among those that stand.
    FixQuery {}
}

view! {
    /// What was found, of a resource as of a request.
    pub(crate) struct FindingBody of StoredFinding {
        /// Identity of the finding across runs.
        fingerprint: String,
        /// The policy, as `namespace/name` or `name`.
        policy: String,
        /// Kind of the policy; empty in decisions, which name the version.
        policy_kind: String,
        /// SHA-256 of the version of the policy.
        policy_digest: String,
        /// The rule.
        rule: String,
        /// What the rule said.
        verdict: VerdictWord,
        /// How much it matters.
        severity: SeverityWord,
        /// The policy's own words.
        message: String,
        /// The offending field, empty where the rule names none.
        path: String,
        /// How to mend it; absent from decisions, which name the version of the policy.
        remediation: Option<String>,
        /// Controls that the policy serves; empty in decisions.
        controls: Vec<ControlView> as list,
        /// Whether it counts: `counted`, `audited`, `known` or `waived`.
        disposition: String,
        /// What the rule knows beside its words.
        facts: BTreeMap<String, String>,
    }
}

view! {
    /// A finding.
    #[schema(as = Finding)]
    pub(crate) struct FindingView of FindingRecord {
        /// Its identifier, kept when it comes back after it was resolved.
        id: String,
        /// Identifier of the resource.
        resource_id: String,
        /// The resource.
        resource: ResourceName,
        /// Where it was found.
        checkpoint: CheckpointWord,
        /// What was found.
        #[serde(flatten)]
        finding: FindingBody,
        /// The team that answers for the resource.
        team: String,
        /// The service that the resource belongs to.
        service: String,
        /// First seen.
        first_seen: Time,
        /// Last seen.
        last_seen: Time,
        /// Since when it is no more.
        resolved_at: Option<Time> as optional,
    }
}

/// What makes a resource the same resource at the next sight.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResourceName {
    /// Where it lives: `cluster:NAME` or `file:PATH`.
    source: String,
    /// API group, empty for core and for what is no object.
    group: String,
    /// Kind, empty for what is no object.
    kind: String,
    /// Namespace, empty for resources of the whole cluster.
    namespace: String,
    /// Name.
    name: String,
    /// Which of the documents of a file that are alike in everything else; empty for the first or only one.
    part: String,
}

impl From<Address> for ResourceName {
    fn from(address: Address) -> Self {
        let Address { source, group, kind, namespace, name, part } = address;
        let [source, group, kind, namespace, name, part] =
            [source, group, kind, namespace, name, part].map(|text| text.to_string());
        Self { source, group, kind, namespace, name, part }
    }
}

view! {
    /// A control of a compliance framework.
    #[schema(as = Control)]
    pub(crate) struct ControlView of Control {
        /// The framework.
        framework: String,
        /// The control within it.
        id: String,
    }
}

view! {
    /// How many findings there are of a group.
    #[schema(as = FindingCount)]
    pub(crate) struct CountView of FindingCount {
        /// The group's name: a policy, a team and so on.
        key: String,
        /// All of them.
        total: u64,
        /// Of severity critical.
        critical: u64,
        /// Of severity high.
        high: u64,
        /// Of severity medium.
        medium: u64,
        /// Of severity low.
        low: u64,
        /// Of severity info.
        info: u64,
    }
}

/// The counts of all groups, turned to have a group per severity, the worst first.
fn by_severity(counts: &[FindingCount]) -> Vec<CountView> {
    let sum = |of: fn(&FindingCount) -> u64| counts.iter().map(of).sum::<u64>();
    let none = || FindingCount { key: String::new(), total: 0, critical: 0, high: 0, medium: 0, low: 0, info: 0 };
    let (critical, high, medium) = (sum(|c| c.critical), sum(|c| c.high), sum(|c| c.medium));
    let (low, info) = (sum(|c| c.low), sum(|c| c.info));
    let groups = [
        FindingCount { key: "critical".into(), total: critical, critical, ..none() },
        FindingCount { key: "high".into(), total: high, high, ..none() },
        FindingCount { key: "medium".into(), total: medium, medium, ..none() },
        FindingCount { key: "low".into(), total: low, low, ..none() },
        FindingCount { key: "info".into(), total: info, info, ..none() },
    ];
    groups.into_iter().filter(|group| group.total > 0).map(CountView::from).collect()
}

async fn list(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    listing: Listing<FindingQuery>,
) -> Result<List<FindingView>, Problem> {
    let order = listing.filter.order.map(|word| word.0).unwrap_or_default();
    let state = listing.filter.state.map(|word| word.0).unwrap_or_default();
    let filter = FindingFilter { order, state, ..listing.filter.filter(&authorized) };
    Ok(listing.answer(context.store.list_findings(&filter, &listing.page).await?))
}

async fn count(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    Query(query): Query<CountQuery>,
) -> Result<List<CountView>, Problem> {
    let group = match query.by.0 {
        CountBy::Policy => FindingGroup::Policy,
        CountBy::Team => FindingGroup::Team,
        CountBy::Service => FindingGroup::Service,
        CountBy::Namespace => FindingGroup::Namespace,
        CountBy::Kind => FindingGroup::Kind,
        // There are four dispositions at most, so that their sums leave nothing out.
        CountBy::Disposition | CountBy::Severity => FindingGroup::Disposition,
    };
    let state = query.state.map(|word| word.0).unwrap_or_default();
    let filter = FindingFilter { state, ..query.filter(&authorized) };
    let counts = context.store.count_findings(&filter, group).await?;
    Ok(List::whole(match query.by.0 {
        CountBy::Severity => by_severity(&counts),
        _ => counts.into_iter().map(CountView::from).collect(),
    }))
}

view! {
    /// One change, a rule mended in a service, and what it would remove.
    #[schema(as = Fix)]
    pub(crate) struct FixView of Fix {
        /// The policy, as `namespace/name` or `name`.
        policy: String,
        /// The rule.
        rule: String,
        /// The team that would make the change.
        team: String,
        /// The service that it would be made in.
        service: String,
        /// How to make it.
        remediation: Option<String>,
        /// How severe the worst of the findings is.
        severity: SeverityWord,
        /// How many findings it would remove.
        findings: u64,
        /// Of how many resources.
        resources: u64,
    }
}

async fn fixes(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    Query(query): Query<FixQuery>,
) -> Result<List<FixView>, Problem> {
    let fixes = context.store.list_fixes(&query.filter(&authorized)).await?;
    Ok(List::whole(fixes.into_iter().map(FixView::from).collect()))
}

async fn get(
    State(context): State<Arc<Context>>,
    authorized: Authorized,
    Part(id, _): Part<FindingId>,
) -> Result<Json<FindingView>, Problem> {
    let found = context.store.finding(&id).await?.filter(|found| scope::sees(&authorized, &found.team));
    found.map(|record| Json(record.into())).ok_or_else(|| Problem::not_found("finding"))
}
