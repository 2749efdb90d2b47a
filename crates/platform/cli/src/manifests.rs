//! The surroundings of a check without a cluster: the manifests that are checked together, and nothing else.
//!
//! A ConfigMap or Namespace that ships in the same folder can be looked up by a policy. Whatever is not among the
//! manifests may still exist in the cluster, so its absence is never reported as "not found" but as unavailable.

use std::collections::HashMap;

use palisade_document::Document;
use palisade_model::{Str, Value, resource::plural};
use palisade_policy::{ApiCall, Cluster, LookupError, ObjectQuery, Offline};

/// Objects by plural resource name, namespace and name.
#[derive(Debug, Default)]
pub(crate) struct Manifests {
    objects: HashMap<(Str, Str, Str), Value>,
}

impl Manifests {
    /// Indexes the Kubernetes objects among `documents`.
    pub(crate) fn new<'a>(documents: impl IntoIterator<Item = &'a Document>) -> Self {
        let entry = |document: &Document| {
            let resource = document.resource();
            let name = document.value.dig(["metadata", "name"])?.as_str()?;
            let key = (plural(resource.kind()).into(), resource.namespace().into(), name.into());
            Some((key, document.value.clone()))
        };
        Self { objects: documents.into_iter().filter_map(entry).collect() }
    }
}

impl Cluster for Manifests {
    fn get(&self, query: &ObjectQuery) -> Result<Value, LookupError> {
        let resource: Str = if query.resource.chars().any(char::is_uppercase) {
            plural(&query.resource).into()
        } else {
            query.resource.clone()
        };
        let key = (resource, query.namespace.clone(), query.name.clone());
        match self.objects.get(&key) {
            Some(object) => Ok(object.clone()),
            None => Offline.get(query),
        }
    }

    fn list(&self, query: &ObjectQuery) -> Result<Vec<Value>, LookupError> {
        Offline.list(query)
    }

    fn call(&self, call: &ApiCall) -> Result<Value, LookupError> {
        Offline.call(call)
    }

    fn global_context(&self, name: &str, projection: &str) -> Result<Value, LookupError> {
        Offline.global_context(name, projection)
    }

    fn image(&self, reference: &str) -> Result<Value, LookupError> {
        Offline.image(reference)
    }
}
