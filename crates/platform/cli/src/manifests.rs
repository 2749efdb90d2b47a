//! The surroundings of a check without a cluster: the manifests that are checked together, and nothing else.
//!
//! A ConfigMap or Namespace that ships in the same folder can be looked up by a policy. Whatever is not among the
//! manifests may still exist in the cluster, so its absence is never reported as "not found" but as unavailable.

use std::collections::HashMap;
use std::sync::OnceLock;

use palisade_document::Document;
use palisade_model::{Str, Value, resource::plural};
use palisade_policy::{ApiCall, Cluster, LookupError, ObjectQuery, Offline};

use crate::input::Input;

/// Objects by plural resource name, namespace and name.
type Objects = HashMap<(Str, Str, Str), Value>;

/// The checked inputs as surroundings. They are only read for this when a policy first looks something up, because
/// most policies never do and holding every document would cost the memory of all of them.
#[derive(Debug)]
pub(crate) struct Manifests<'a> {
    inputs: &'a [Input],
    objects: OnceLock<Objects>,
}

impl<'a> Manifests<'a> {
    /// The objects of `inputs`.
    pub(crate) fn new(inputs: &'a [Input]) -> Self {
        Self { inputs, objects: OnceLock::new() }
    }

    fn objects(&self) -> &Objects {
        self.objects
            .get_or_init(|| self.inputs.iter().flat_map(|input| input.read().documents).filter_map(entry).collect())
    }
}

fn entry(document: Document) -> Option<((Str, Str, Str), Value)> {
    let resource = document.into_resource();
    let name = resource.object.dig(["metadata", "name"])?.as_str()?;
    Some(((plural(resource.kind()).into(), resource.namespace().into(), name.into()), resource.object))
}

impl Cluster for Manifests<'_> {
    fn get(&self, query: &ObjectQuery) -> Result<Value, LookupError> {
        let resource: Str = if query.resource.chars().any(char::is_uppercase) {
            plural(&query.resource).into()
        } else {
            query.resource.clone()
        };
        let key = (resource, query.namespace.clone(), query.name.clone());
        match self.objects().get(&key) {
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
