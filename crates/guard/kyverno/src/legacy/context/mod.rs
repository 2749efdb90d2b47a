//! What a rule's variables are looked up in: the request, the context entries, the element of a loop.
//!
//! Nothing is built before a query mentions it. Loops take a [`RuleContext::checkpoint`], and each round starts from
//! it again. Deliberately absent: parsing queries, and reaching out: look-ups go to the environment's cluster, or to
//! the values that stand in for it.

mod entry;
mod given;
mod images;
mod loading;
mod request;

use std::cell::{Cell, OnceCell, RefCell};

use palisade_jmespath::{Query, QueryError, Runtime, Scope};
use palisade_model::{Map, Str, Value};
use palisade_policy::steps::Steps;
use palisade_policy::{AdmissionRequest, Environment, Operation};

use crate::legacy::spec::ContextEntry;
use crate::legacy::variables::Queries;

pub use given::Given;

/// The names that a context belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The policy.
    pub policy: &'a str,
    /// The namespace of a namespaced policy; empty for a cluster-wide one.
    pub namespace: &'a str,
    /// The rule.
    pub rule: &'a str,
}

/// What a rule's variables are looked up in.
pub struct RuleContext<'a> {
    environment: &'a Environment<'a>,
    names: Names<'a>,
    admission: &'a AdmissionRequest,
    queries: &'a Queries,
    given: Given,
    image_extractors: &'a Value,
    operation: Cell<Operation>,
    object: RefCell<Value>,
    old_object: RefCell<Value>,
    request: RefCell<OnceCell<Value>>,
    images: OnceCell<Result<Option<Value>, String>>,
    frames: RefCell<Vec<Frame<'a>>>,
    /// How many entries, from the outermost, may be loaded; fewer while an entry itself is loaded.
    visible: Cell<usize>,
    loading: Cell<usize>,
    steps: Steps<'a>,
    unavailable: RefCell<Option<String>>,
}

/// What was added since a checkpoint.
#[derive(Debug, Default)]
struct Frame<'a> {
    bindings: Vec<(Str, Value)>,
    entries: Vec<Deferred<'a>>,
}

/// A context entry and whether it was asked for.
#[derive(Debug)]
struct Deferred<'a> {
    entry: &'a ContextEntry,
    attempted: bool,
    loaded: bool,
}

impl<'a> RuleContext<'a> {
    /// The context of a rule that judges `admission`. `queries` are those that were parsed with the policy.
    pub fn new(
        names: Names<'a>,
        admission: &'a AdmissionRequest,
        environment: &'a Environment<'a>,
        queries: &'a Queries,
    ) -> Self {
        Self {
            environment,
            names,
            admission,
            queries,
            given: Given::of(environment.variables, names.policy, &admission.name, names.rule),
            image_extractors: &Value::Null,
            operation: Cell::new(admission.operation),
            object: RefCell::new(admission.object.clone()),
            old_object: RefCell::new(admission.old_object.clone()),
            request: RefCell::default(),
            images: OnceCell::new(),
            frames: RefCell::new(vec![Frame::default()]),
            visible: Cell::new(usize::MAX),
            loading: Cell::new(0),
            steps: Steps::new(environment.step_limit, environment.stop),
            unavailable: RefCell::default(),
        }
    }

    /// With the rule's own places of images.
    #[must_use]
    pub fn with_image_extractors(mut self, extractors: &'a Value) -> Self {
        self.image_extractors = extractors;
        self
    }

    /// What surrounds the evaluation.
    pub fn environment(&self) -> &'a Environment<'a> {
        self.environment
    }

    /// The names of policy and rule.
    pub fn names(&self) -> Names<'a> {
        self.names
    }

    /// The request that is judged.
    pub fn admission(&self) -> &'a AdmissionRequest {
        self.admission
    }

    /// The steps that are left.
    pub fn steps(&self) -> &Steps<'a> {
        &self.steps
    }

    /// Uses up steps.
    pub fn spend(&self, steps: u64) -> Result<(), QueryError> {
        if self.steps.take(steps) { Ok(()) } else { Err(QueryError::StepLimit) }
    }

    /// What the rule asked for and this checkpoint cannot know. A verdict that came about without it would be made up,
    /// whatever defaults the policy has for answers that do not come.
    pub fn unavailable(&self) -> Option<String> {
        self.unavailable.borrow().clone()
    }

    /// Remembers that something cannot be known here.
    pub(crate) fn set_unavailable(&self, what: &str) {
        self.unavailable.borrow_mut().get_or_insert_with(|| what.to_owned());
    }

    /// Evaluates an expression, loading the context entries that it mentions.
    pub fn query(&self, text: &str) -> Result<Value, QueryError> {
        self.spend(1 + text.len() as u64 / 16)?;
        self.load_mentioned(text)?;
        let text = text.trim();
        if text.is_empty() {
            return Err(QueryError::Invalid("the expression is empty".into()));
        }
        match self.queries.get(text) {
            Some(query) => self.search(query, self),
            None => self.search(&parse(text)?, self),
        }
    }

    /// Evaluates an expression over a value instead of the context.
    pub fn query_value(&self, text: &str, value: &Value) -> Result<Value, QueryError> {
        self.spend(1 + text.len() as u64 / 16)?;
        match self.queries.get(text.trim()) {
            Some(query) => self.search(query, value),
            None => self.search(&parse(text)?, value),
        }
    }

    fn search(&self, query: &Query, scope: &dyn Scope) -> Result<Value, QueryError> {
        let runtime = Runtime { now: self.environment.now, seed: self.environment.seed, steps: &self.steps };
        query.search(scope, &runtime)
    }

    /// The elements of a loop: what the expression gives, or that one value where it is no list.
    pub fn list(&self, expression: &str) -> Result<Vec<Value>, QueryError> {
        Ok(match self.query(expression)? {
            Value::Array(items) => items.to_vec(),
            other => vec![other],
        })
    }

    /// Pays for a round of a loop: names are bound and entries offered again, whatever the round then does.
    pub fn spend_round(&self) -> Result<(), QueryError> {
        self.spend(16)
    }

    /// Whether the object goes away: variables that name the object then mean the old one.
    pub fn is_delete(&self) -> bool {
        self.operation.get() == Operation::Delete
    }

    /// Whether a rule for existing targets is at work on one.
    pub fn has_target(&self) -> bool {
        self.lookup("target").is_some()
    }

    /// The object as the rule sees it; `null` when it goes away.
    pub fn object(&self) -> Value {
        self.object.borrow().clone()
    }

    /// The old object; `null` where there is none.
    pub fn old_object(&self) -> Value {
        self.old_object.borrow().clone()
    }

    /// Puts a changed object in place.
    pub fn set_object(&self, object: Value) {
        self.object.replace(object);
        self.request.take();
    }

    /// Puts other objects and another operation in place, for judging the old object as if it were created.
    pub fn set_request(&self, operation: Operation, object: Value, old_object: Value) {
        self.operation.set(operation);
        self.old_object.replace(old_object);
        self.set_object(object);
    }

    /// The operation as the rule sees it.
    pub fn operation(&self) -> Operation {
        self.operation.get()
    }

    /// Sets a top-level name until the checkpoint before is restored.
    pub fn bind(&self, name: impl Into<Str>, value: Value) {
        let name = name.into();
        if let Some(frame) = self.frames.borrow_mut().last_mut() {
            match frame.bindings.iter_mut().find(|(bound, _)| *bound == name) {
                Some((_, slot)) => *slot = value,
                None => frame.bindings.push((name, value)),
            }
        }
    }

    /// Sets `element`, `elementIndex` and their counterparts for this depth of nesting.
    pub fn bind_element(&self, element: &Value, index: usize, nesting: usize) {
        let index = Value::Int(i64::try_from(index).unwrap_or(i64::MAX));
        self.bind("element", element.clone());
        self.bind(format!("element{nesting}"), element.clone());
        self.bind("elementIndex", index.clone());
        self.bind(format!("elementIndex{nesting}"), index);
    }

    /// Adds entries, to be loaded when a query mentions them.
    pub fn add_entries(&self, entries: &'a [ContextEntry]) {
        if let Some(frame) = self.frames.borrow_mut().last_mut() {
            frame.entries.extend(entries.iter().map(|entry| Deferred { entry, attempted: false, loaded: false }));
        }
    }

    /// Remembers this state.
    pub fn checkpoint(&self) {
        self.frames.borrow_mut().push(Frame::default());
    }

    /// Goes back to the last checkpoint and keeps it.
    pub fn reset(&self) {
        if let Some(frame) = self.frames.borrow_mut().last_mut() {
            *frame = Frame::default();
        }
        self.retry_entries();
    }

    /// Goes back to the last checkpoint and forgets it.
    pub fn restore(&self) {
        let mut frames = self.frames.borrow_mut();
        if frames.len() > 1 {
            frames.pop();
        }
        drop(frames);
        self.retry_entries();
    }

    /// Entries that could not be loaded are tried again.
    fn retry_entries(&self) {
        for frame in self.frames.borrow_mut().iter_mut() {
            frame.entries.iter_mut().for_each(|deferred| deferred.attempted = deferred.loaded);
        }
    }

    fn lookup(&self, name: &str) -> Option<Value> {
        let frames = self.frames.borrow();
        let bound = |frame: &Frame<'_>| frame.bindings.iter().find(|(bound, _)| &**bound == name).map(|b| b.1.clone());
        frames.iter().rev().find_map(bound)
    }

    fn request_value(&self) -> Value {
        let cell = self.request.borrow();
        cell.get_or_init(|| {
            request::value(self.admission, self.operation.get(), &self.object(), &self.old_object(), &self.given)
        })
        .clone()
    }

    fn images(&self) -> Result<Option<Value>, QueryError> {
        let extract = || images::extract(&self.admission.object, self.image_extractors, self);
        match self.images.get_or_init(extract) {
            Ok(found) => Ok(given::merged(self.given.get("images"), found.as_ref())),
            Err(message) => Err(QueryError::Lookup(message.clone())),
        }
    }
}

impl Scope for RuleContext<'_> {
    fn get(&self, name: &str) -> Result<Option<Value>, QueryError> {
        if let Some(value) = self.lookup(name) {
            return Ok(Some(value));
        }
        Ok(match name {
            "request" => Some(self.request_value()),
            "images" => self.images()?,
            "serviceAccountName" | "serviceAccountNamespace" => {
                self.given.get(name).cloned().or_else(|| request::service_account(self.admission, name))
            }
            other => self.given.get(other).cloned(),
        })
    }

    fn whole(&self) -> Result<Value, QueryError> {
        let mut map = self.given.tree().clone();
        for name in ["request", "images", "serviceAccountName", "serviceAccountNamespace"] {
            if let Some(value) = self.get(name)? {
                map.insert(name, value);
            }
        }
        let mut bound = Map::new();
        for frame in self.frames.borrow().iter() {
            frame.bindings.iter().for_each(|(name, value)| {
                bound.insert(name.clone(), value.clone());
            });
        }
        bound.into_iter().for_each(|(name, value)| {
            map.insert(name, value);
        });
        Ok(Value::object(map))
    }
}

impl std::fmt::Debug for RuleContext<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuleContext").field("names", &self.names).finish_non_exhaustive()
    }
}

fn parse(text: &str) -> Result<Query, QueryError> {
    Query::parse(text).map_err(|error| QueryError::Invalid(format!("incorrect query {text}: {error}")))
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
