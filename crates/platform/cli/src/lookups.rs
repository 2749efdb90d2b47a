//! The surroundings of a check without a cluster: the manifests that are checked together, and nothing else.
//!
//! A ConfigMap or Namespace that ships in the same folder can be looked up by a policy. Whatever is not among the
//! manifests may still exist in the cluster, so its absence is never reported as "not found" but as unavailable. A
//! policy that wants to know just what is among them asks for the global context entry `manifests`, with
//! `PLURAL/NAMESPACE` as the projection.

use std::collections::HashMap;
use std::sync::OnceLock;

use palisade_document::Document;
use palisade_document::kind::kubernetes::is_object;
use palisade_intake::Input;
use palisade_model::{Str, Value, resource::plural};
use palisade_policy::lookups::DEFAULT_NAMESPACE;
use palisade_policy::{LookupError, Lookups, Namespace, ObjectQuery, Offline, forward_lookups};
use palisade_runtime::{Network, http};

/// The global context entry that stands for the checked manifests.
const ENTRY: &str = "manifests";

/// The checked objects.
#[derive(Debug, Default)]
struct Objects {
    /// By plural resource name, namespace and name.
    by_name: HashMap<(Str, Str, Str), Value>,
    /// In the order of the files, as arrays by `plural/namespace`.
    listed: HashMap<Str, Value>,
    /// All of them, as one array.
    all: Value,
}

impl FromIterator<Document> for Objects {
    fn from_iter<I: IntoIterator<Item = Document>>(documents: I) -> Self {
        let mut objects = Self::default();
        let mut lists: HashMap<Str, Vec<Value>> = HashMap::new();
        let mut all = Vec::new();
        for document in documents.into_iter().filter(|document| is_object(&document.value)) {
            let resource = document.into_resource();
            all.push(resource.object.clone());
            let kind: Str = plural(resource.kind()).into();
            let namespace: Str = resource.namespace().into();
            lists.entry(format!("{kind}/{namespace}").into()).or_default().push(resource.object.clone());
            if let Some(name) = resource.object.dig(["metadata", "name"]).and_then(Value::as_shared_str) {
                objects.by_name.insert((kind, namespace, name.clone()), resource.object.clone());
            }
        }
        objects.all = Value::array(all);
        objects.listed = lists.into_iter().map(|(key, list)| (key, Value::array(list))).collect();
        objects
    }
}

/// The checked inputs as surroundings. They are only read for this when a policy first looks something up, because
/// most policies never do and holding every document would cost the memory of all of them.
#[derive(Debug)]
pub(crate) struct ManifestLookups<'a> {
    inputs: &'a [Input],
    network: &'a Network,
    objects: OnceLock<Objects>,
}

impl<'a> ManifestLookups<'a> {
    /// The objects of `inputs`, and the hosts that policies may reach.
    pub(crate) fn new(inputs: &'a [Input], network: &'a Network) -> Self {
        Self { inputs, network, objects: OnceLock::new() }
    }

    fn objects(&self) -> &Objects {
        self.objects.get_or_init(|| self.inputs.iter().flat_map(|input| input.read().documents).collect())
    }
}

impl Lookups for ManifestLookups<'_> {
    forward_lookups!(|_this| Offline; list, call, http, image);

    fn get(&self, query: &ObjectQuery) -> Result<Value, LookupError> {
        let resource: Str = if query.resource.chars().any(char::is_uppercase) {
            plural(&query.resource).into()
        } else {
            query.resource.clone()
        };
        let key = (resource, query.namespace.clone(), query.name.clone());
        match self.objects().by_name.get(&key) {
            Some(object) => Ok(object.clone()),
            None => Offline.get(query),
        }
    }

    /// The manifests are all that is known here.
    fn objects(&self) -> Result<Value, LookupError> {
        Ok(self.objects().all.clone())
    }

    fn send(&self, request: &Value) -> Result<Value, LookupError> {
        http::send::send(request, self.network).map_err(LookupError::Failed)
    }

    /// Every cluster has the namespace `default`, and it carries no labels of interest until somebody adds them.
    fn namespace(&self, name: &str) -> Namespace {
        match self.get(&ObjectQuery::namespace(name)).into() {
            Namespace::Unknown(_) if name == DEFAULT_NAMESPACE => Namespace::named(name),
            Namespace::Unknown(_) => Namespace::Unknown(LookupError::Unavailable {
                what: format!("namespace `{name}`"),
                remedy: "check its manifest together with these".into(),
            }),
            found => found,
        }
    }

    fn global_context(&self, name: &str, projection: &str) -> Result<Value, LookupError> {
        if name != ENTRY {
            return Offline.global_context(name, projection);
        }
        Ok(self.objects().listed.get(projection).cloned().unwrap_or_else(|| Value::array(Vec::new())))
    }
}
