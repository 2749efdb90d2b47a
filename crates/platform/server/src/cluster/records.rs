//! What the controllers remember and tell, on the store.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use palisade_kube::controller::{Action, ActionSink, ControllerState, Failure};
use palisade_kube::scan::{Judged, ScanSink, ScanState};
use palisade_model::{Address, Decision, GroupVersionKind, Str, Subject, Value};
use palisade_store::{Cursor, NewAuditEntry, Observation, Page, ResourceFilter, ResourceRecord, resource_id};

use crate::capability::inventory;
use crate::context::Context;

/// How many objects are read at a time.
const PAGE: u32 = 500;

/// The store as the controllers see it.
pub(super) struct Records {
    context: Context,
    source: Str,
    /// The last object of the last page that was read, and where the next one starts.
    page: Mutex<Option<(Subject, Option<Cursor>)>>,
}

impl Records {
    pub(super) fn new(context: &Context) -> Arc<Self> {
        let source = format!("cluster:{}", context.config.kubernetes.cluster);
        Arc::new(Self { context: context.clone(), source: source.into(), page: Mutex::default() })
    }

    fn id(&self, subject: &Subject) -> String {
        resource_id(&subject.address(self.source.clone(), Str::default()))
    }

    fn observation(&self, decision: &Decision) -> Observation {
        let address = decision.subject.address(self.source.clone(), Str::default());
        inventory::observation(decision, address, &self.context.owners.of(decision))
    }

    async fn known_after(&self, after: Option<&Subject>) -> Result<Vec<Subject>, Failure> {
        let from = match after {
            None => None,
            Some(after) => {
                let kept = self.page.lock().unwrap_or_else(PoisonError::into_inner).take();
                match kept.filter(|(last, _)| last == after) {
                    Some((_, None)) => return Ok(Vec::new()),
                    Some((_, from)) => from,
                    None => return Err("the list was read by somebody else meanwhile".into()),
                }
            }
        };
        let filter = ResourceFilter { source: Some(self.source.to_string()), ..ResourceFilter::default() };
        let listed = self.context.store.list_resources(&filter, &Page { limit: PAGE, after: from }).await?;
        let subjects: Vec<_> = listed.items.iter().map(subject).collect();
        let last = subjects.last().map(|last| (last.clone(), listed.next));
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = last;
        Ok(subjects)
    }
}

fn subject(record: &ResourceRecord) -> Subject {
    let Address { group, kind, namespace, name, .. } = record.address.clone();
    let kind = GroupVersionKind { group, version: record.version.as_str().into(), kind };
    Subject { kind, namespace, name, uid: record.uid.as_str().into(), sub_resource: Str::default() }
}

impl ScanState for Records {
    fn judged<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Result<Option<Judged>, Failure>> {
        async move {
            let found = self.context.store.resource(&self.id(subject)).await?;
            // An object of the same name with another identifier went and came again.
            let same = found.filter(|record| *record.uid == *subject.uid);
            Ok(same.map(|record| Judged { object: record.input_digest.into(), ruleset: record.ruleset_digest.into() }))
        }
        .boxed()
    }

    fn known<'a>(&'a self, after: Option<&'a Subject>) -> BoxFuture<'a, Result<Vec<Subject>, Failure>> {
        self.known_after(after).boxed()
    }
}

impl ScanSink for Records {
    fn judged<'a>(&'a self, _: &'a Value, decision: &'a Decision) -> BoxFuture<'a, Result<(), Failure>> {
        async move {
            let observation = self.observation(decision);
            let stored = self.context.store.record_observations(std::slice::from_ref(&observation));
            self.context.metrics.time_store("record_observations", stored).await?;
            Ok(())
        }
        .boxed()
    }

    fn gone<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Result<(), Failure>> {
        async move {
            let id = self.id(subject);
            self.context.store.remove_resources(&[id], self.context.clock.now()).await?;
            Ok(())
        }
        .boxed()
    }
}

impl ControllerState for Records {
    fn load<'a>(&'a self, controller: &'a str) -> BoxFuture<'a, Result<Option<Value>, Failure>> {
        async move { Ok(self.context.store.state(controller).await?.map(Value::from)) }.boxed()
    }

    fn save<'a>(&'a self, controller: &'a str, state: &'a Value) -> BoxFuture<'a, Result<(), Failure>> {
        async move {
            let value = serde_json::from_str(&state.to_json())?;
            Ok(self.context.store.put_state(controller, &value, self.context.clock.now()).await?)
        }
        .boxed()
    }
}

impl ActionSink for Records {
    /// What a controller did to the cluster is on record like what people did.
    fn acted(&self, action: Action) -> BoxFuture<'_, Result<(), Failure>> {
        async move {
            let object = &action.object;
            let place = if object.namespace.is_empty() { String::new() } else { format!("{}/", object.namespace) };
            let policy = action.policy.as_ref().map(ToString::to_string);
            let entry = NewAuditEntry {
                actor: "system".into(),
                actor_name: "palisade".into(),
                action: format!("controller.{}", action.kind.as_str()),
                object: format!("{} {place}{}", object.kind.kind, object.name),
                team: None,
                allowed: action.kind.as_str() != "failed",
                details: serde_json::json!({
                    "policy": policy, "rule": &*action.rule, "message": action.message,
                }),
            };
            self.context.store.append_audit(&entry, action.time).await?;
            Ok(())
        }
        .boxed()
    }
}
