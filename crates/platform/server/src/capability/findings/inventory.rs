//! The inventory of files: manifests that are judged like the objects of a cluster, for who has none at hand.
//!
//! The caller names the documents; they are judged at the start, whenever the policies change, and when they change
//! themselves. What is no longer among them is gone. Deliberately absent: reading files, which is the caller's.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use palisade_model::{Address, Checkpoint, Decision, Owner, Str};
use palisade_policy::{Environment, Lookups, Request, Variables};
use palisade_runtime::blocking;
use palisade_store::{Observation, StoreError, StoredFinding, resource_id};
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
    /// Calls `judge` for every document.
    fn each(&self, judge: &mut dyn FnMut(Sight<'_>));
}

/// A document of the inventory.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// The name of its file.
    pub file: &'a str,
    /// Which of the file's documents that are alike it is; see [`palisade_model::address`].
    pub part: &'a Str,
    /// What stands for it before the policies.
    pub request: &'a Request,
    /// What policies may look up beside it.
    pub lookups: &'a dyn Lookups,
}

impl std::fmt::Debug for Sight<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sight").field("file", &self.file).field("part", &self.part).finish_non_exhaustive()
    }
}

/// What is known of a document, by its identifier: what it was, what judged it, and whose it is.
type Known = HashMap<String, (String, String, Owner)>;

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

/// Every document's address with the policies' decision about it.
fn judge(inventory: &dyn Inventory, ruleset: &Ruleset, now: Timestamp) -> Vec<(Address, Decision)> {
    let variables = Variables::default();
    let mut judged = Vec::new();
    inventory.each(&mut |sight| {
        let environment = Environment::new(now, sight.lookups, &variables);
        let decision = Decision { checkpoint: Checkpoint::Check, ..ruleset.scan(sight.request, &environment) };
        // What is no object and concerns no rule is not for an inventory of what was judged.
        if decision.subject.kind.kind.is_empty() && decision.counts.total() == 0 {
            return;
        }
        let address = decision.subject.address(format!("file:{}", sight.file).into(), sight.part.clone());
        judged.push((address, decision));
    });
    judged
}

/// Records what is new or changed, and what is gone.
async fn record(context: &Context, judged: Vec<(Address, Decision)>, known: &mut Known) -> Result<(), StoreError> {
    let mut now = Known::new();
    let mut changed = Vec::new();
    for (address, decision) in judged {
        let owner = context.owners.of(&decision);
        let id = resource_id(&address);
        let observation = observation(&decision, address, &owner);
        let basis = (observation.input_digest.clone(), observation.ruleset_digest.clone(), owner);
        if known.get(&id) != Some(&basis) {
            changed.push(observation);
        }
        now.insert(id, basis);
    }
    for batch in changed.chunks(BATCH) {
        context.store.record_observations(batch).await?;
    }
    let gone: Vec<_> = known.keys().filter(|id| !now.contains_key(*id)).cloned().collect();
    if !gone.is_empty() {
        context.store.remove_resources(&gone, context.clock.now()).await?;
    }
    *known = now;
    Ok(())
}

/// A decision about what exists at an address, as the store keeps it.
pub(crate) fn observation(decision: &Decision, resource: Address, owner: &Owner) -> Observation {
    Observation {
        resource,
        version: decision.subject.kind.version.to_string(),
        uid: decision.subject.uid.to_string(),
        labels_digest: palisade_policy::digest(&decision.labels.to_canonical_json()).to_string(),
        input_digest: decision.input_digest.to_string(),
        ruleset_digest: decision.ruleset_digest.to_string(),
        team: owner.team.to_string(),
        service: owner.service.to_string(),
        checkpoint: decision.checkpoint,
        counts: decision.counts,
        findings: decision.findings.iter().map(StoredFinding::from).collect(),
        time: decision.time,
    }
}
