//! The inventory of files: manifests that are judged like the objects of a cluster, for who has none at hand.
//!
//! The caller names the documents; they are judged at the start, whenever the policies change, and when they change
//! themselves. What is no longer among them is gone. Deliberately absent: reading files, which is the caller's.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use palisade_model::{Checkpoint, Decision, Owner, Resource};
use palisade_policy::{Environment, Lookups, Variables};
use palisade_runtime::blocking;
use palisade_store::{Observation, ObservedFinding, ResourceIdentity, StoreError};
use palisade_verdict::Ruleset;
use tokio_util::sync::CancellationToken;

use crate::ServerError;
use crate::context::Context;

/// How often the documents are read again.
const LOOK: Duration = Duration::from_secs(10);

/// How many documents are recorded at once.
const BATCH: usize = 100;

/// Reads the documents of the inventory.
pub trait Inventory: Send + Sync {
    /// Calls `judge` for every document, with the name of its file and what policies may look up beside it.
    fn each(&self, judge: &mut dyn FnMut(&str, &Resource, &dyn Lookups));
}

/// What is known of a document: what it was, what judged it, and whose it is.
type Known = HashMap<ResourceIdentity, (String, String, Owner)>;

/// Keeps the verdicts about the inventory current until `stop`.
pub(crate) async fn keep_current(
    inventory: Arc<dyn Inventory>,
    context: Context,
    stop: CancellationToken,
) -> Result<(), ServerError> {
    let mut rulesets = context.rulesets.clone();
    let mut known = Known::new();
    loop {
        let ruleset = rulesets.borrow_and_update().clone();
        // Before the first load there is nothing to judge by, and a verdict of no policies would be a pass.
        if context.policies.status().borrow().loaded_at.is_some() {
            let (inventory, now) = (inventory.clone(), context.clock.now());
            let judged = blocking("judging the inventory", move || judge(&*inventory, &ruleset, now)).await?;
            if let Err(error) = record(&context, judged, &mut known).await {
                tracing::warn!(%error, "the inventory is recorded later");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            _ = rulesets.changed() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Every document with the policies' decision about it.
fn judge(inventory: &dyn Inventory, ruleset: &Ruleset, now: Timestamp) -> Vec<(String, Decision)> {
    let variables = Variables::default();
    let mut judged = Vec::new();
    inventory.each(&mut |file, document, surroundings| {
        let environment = Environment::new(now, surroundings, &variables);
        let mut decision = ruleset.scan(&document.object, &environment);
        decision.checkpoint = Checkpoint::Check;
        judged.push((file.to_owned(), decision));
    });
    judged
}

/// Records what is new or changed, and what is gone.
async fn record(context: &Context, judged: Vec<(String, Decision)>, known: &mut Known) -> Result<(), StoreError> {
    let mut now = Known::new();
    let mut changed = Vec::new();
    for (file, decision) in judged {
        let owner = context.owners.of(&decision);
        let observation = observation(&decision, format!("file:{file}"), &owner);
        let facts = (observation.input_digest.clone(), observation.ruleset_digest.clone(), owner);
        if known.get(&observation.resource) != Some(&facts) {
            changed.push(observation.clone());
        }
        now.insert(observation.resource, facts);
    }
    for batch in changed.chunks(BATCH) {
        context.store.record_observations(batch).await?;
    }
    let gone: Vec<_> = known.keys().filter(|identity| !now.contains_key(*identity)).map(ResourceIdentity::id).collect();
    if !gone.is_empty() {
        context.store.remove_resources(&gone, context.clock.now()).await?;
    }
    *known = now;
    Ok(())
}

/// A decision about an object that exists, as the store keeps it. `source` is `cluster:NAME` or `file:PATH`.
pub(crate) fn observation(decision: &Decision, source: String, owner: &Owner) -> Observation {
    let subject = &decision.subject;
    Observation {
        resource: ResourceIdentity {
            source,
            group: subject.kind.group.to_string(),
            kind: subject.kind.kind.to_string(),
            namespace: subject.namespace.to_string(),
            name: subject.name.to_string(),
        },
        version: subject.kind.version.to_string(),
        uid: subject.uid.to_string(),
        labels_digest: palisade_policy::digest(&decision.labels.to_canonical_json()).to_string(),
        input_digest: decision.input_digest.to_string(),
        ruleset_digest: decision.ruleset_digest.to_string(),
        team: owner.team.to_string(),
        service: owner.service.to_string(),
        checkpoint: decision.checkpoint,
        counts: decision.counts,
        findings: decision.findings.iter().map(ObservedFinding::from).collect(),
        time: decision.time,
    }
}
