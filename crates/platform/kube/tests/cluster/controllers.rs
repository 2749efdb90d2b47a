//! What the tests of controllers share: rulesets, a memory, and somebody who writes down what is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use palisade_kube::controller::{Action, ActionKind, ActionSink, ControllerState, Failure};
use palisade_kube::scan::{Judged, ScanSink, ScanState};
use palisade_model::decision::Subject;
use palisade_model::{Decision, Resource, Value};
use palisade_verdict::Ruleset;

/// Policies as a ruleset.
pub(crate) fn ruleset(documents: &[Value]) -> Arc<Ruleset> {
    let documents: Vec<Resource> = documents.iter().cloned().map(Resource::in_memory).collect();
    let loaded = palisade_kyverno::LANGUAGE.load(&documents, &[]);
    assert!(loaded.policies.len() == documents.len(), "{:?}", loaded.diagnostics);
    Arc::new(Ruleset::of(loaded.policies))
}

/// A ClusterPolicy with rules.
pub(crate) fn cluster_policy(name: &str, rules: &Value) -> Value {
    palisade_model::json!({
        "apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": name},
        "spec": {"validationFailureAction": "Audit", "rules": rules}
    })
}

/// Remembers and writes down.
#[derive(Default)]
pub(crate) struct Notebook {
    judged: Mutex<HashMap<(String, String), (Subject, Decision)>>,
    judgements: Mutex<Vec<String>>,
    gone: Mutex<Vec<String>>,
    actions: Mutex<Vec<Action>>,
    states: Mutex<HashMap<String, Value>>,
}

impl Notebook {
    /// What was said last of an object.
    pub(crate) fn decision(&self, namespace: &str, name: &str) -> Option<Decision> {
        let judged = self.judged.lock().unwrap();
        judged.get(&(namespace.to_owned(), name.to_owned())).map(|(_, decision)| decision.clone())
    }

    /// The names of the objects that were judged, in order.
    pub(crate) fn judgements(&self) -> Vec<String> {
        self.judgements.lock().unwrap().clone()
    }

    pub(crate) fn is_gone(&self, name: &str) -> bool {
        self.gone.lock().unwrap().iter().any(|gone| gone == name)
    }

    /// Whether something of this kind was done to the object of this name; what was said of it.
    pub(crate) fn action(&self, kind: ActionKind, name: &str) -> Option<String> {
        let actions = self.actions.lock().unwrap();
        let found = actions.iter().find(|action| action.kind == kind && *action.object.name == *name);
        found.map(|action| action.message.clone())
    }
}

impl ScanState for Notebook {
    fn judged<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Result<Option<Judged>, Failure>> {
        let key = (subject.namespace.to_string(), subject.name.to_string());
        let judged = self.judged.lock().unwrap();
        let known = judged.get(&key).filter(|(known, _)| known.uid == subject.uid);
        let found = known.map(|(_, decision)| Judged {
            object: decision.input_digest.clone(),
            ruleset: decision.ruleset_digest.clone(),
        });
        async move { Ok(found) }.boxed()
    }

    fn known<'a>(&'a self, after: Option<&'a Subject>) -> BoxFuture<'a, Result<Vec<Subject>, Failure>> {
        let first = after.is_none();
        let known = self.judged.lock().unwrap().values().map(|(subject, _)| subject.clone()).collect();
        async move { Ok(if first { known } else { Vec::new() }) }.boxed()
    }
}

impl ScanSink for Notebook {
    fn judged<'a>(&'a self, _: &'a Value, decision: &'a Decision) -> BoxFuture<'a, Result<(), Failure>> {
        let subject = decision.subject.clone();
        let key = (subject.namespace.to_string(), subject.name.to_string());
        self.judgements
            .lock()
            .unwrap()
            .push(format!("{}/{} {}", subject.namespace, subject.name, decision.input_digest));
        self.judged.lock().unwrap().insert(key, (subject, decision.clone()));
        async { Ok(()) }.boxed()
    }

    fn gone<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Result<(), Failure>> {
        self.judged.lock().unwrap().remove(&(subject.namespace.to_string(), subject.name.to_string()));
        self.gone.lock().unwrap().push(subject.name.to_string());
        async { Ok(()) }.boxed()
    }
}

impl ControllerState for Notebook {
    fn load<'a>(&'a self, controller: &'a str) -> BoxFuture<'a, Result<Option<Value>, Failure>> {
        let state = self.states.lock().unwrap().get(controller).cloned();
        async move { Ok(state) }.boxed()
    }

    fn save<'a>(&'a self, controller: &'a str, state: &'a Value) -> BoxFuture<'a, Result<(), Failure>> {
        self.states.lock().unwrap().insert(controller.to_owned(), state.clone());
        async { Ok(()) }.boxed()
    }
}

impl ActionSink for Notebook {
    fn acted(&self, action: Action) -> BoxFuture<'_, Result<(), Failure>> {
        self.actions.lock().unwrap().push(action);
        async { Ok(()) }.boxed()
    }
}
