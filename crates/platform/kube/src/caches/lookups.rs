//! What policies look up, answered from the caches, and by the API server itself where a cache cannot.
//!
//! The trait is synchronous and called from threads that may block: waits are bounded, and requests run on the server's
//! own runtime. What lies outside the API server is answered by whoever started the caches; see [`Outside`](super::Outside).
//! Deliberately absent: registries, which the control plane asks nothing.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use http::Method;
use palisade_gotext::go_duration::GoDuration;
use palisade_model::{GroupVersionKind, Map, Str, Value};
use palisade_policy::{Address, ApiCall, LookupError, Lookups, Namespace, ObjectQuery, Unanswered, forward_lookups};

use super::Caches;
use super::store::Store;
use crate::{Kind, KubeError};

/// How long a look-up waits for the first list of a kind.
const FIRST_LIST: Duration = Duration::from_secs(5);

/// How long a look-up waits for a request to the API server.
const LIVE: Duration = Duration::from_secs(5);

/// The entry by which rules ask for what stands beside an object: among the files of a check, here in the cluster.
const BESIDE: &str = "manifests";

/// The kinds of the inventory, and the array that was last made of them.
#[derive(Debug, Default)]
pub(super) struct Inventory {
    kinds: Vec<GroupVersionKind>,
    made: Option<(Vec<u64>, Value)>,
}

impl Inventory {
    pub(super) fn set(&mut self, kinds: Vec<GroupVersionKind>) {
        if self.kinds != kinds {
            *self = Self { kinds, made: None };
        }
    }
}

impl Caches {
    /// The objects that a projection `PLURAL/NAMESPACE` of [`BESIDE`] names, as an array.
    fn beside(&self, projection: &str) -> Result<Value, LookupError> {
        // A cluster holds all that there is.
        if projection == "whole/" {
            return Ok(Value::Bool(true));
        }
        let projection = projection.strip_suffix("/nearby").unwrap_or(projection);
        let (resource, namespace) = projection.split_once('/').unwrap_or((projection, ""));
        // Of a kind that the cluster does not have, it has no objects.
        if self.discovery().find("*", "*", resource).is_none() {
            return Ok(Value::array(Vec::new()));
        }
        let any: Str = "*".into();
        let query = ObjectQuery {
            group: any.clone(),
            version: any,
            resource: resource.into(),
            namespace: namespace.into(),
            name: Str::default(),
        };
        Ok(Value::array(self.list(&query)?))
    }
}

impl Lookups for Caches {
    forward_lookups!(|_this| Unanswered("the control plane asks no registries; check images where they are built"); image);

    fn get(&self, query: &ObjectQuery) -> Result<Value, LookupError> {
        let kind = self.kind(&query.group, &query.version, &query.resource)?;
        let missing = || LookupError::NotFound(described(query));
        if !kind.is_watchable() {
            return self.live(Method::GET, kind.path(&query.namespace, &query.name), Value::Null, described(query));
        }
        self.store(&kind)?.get(&query.namespace, &query.name).ok_or_else(missing)
    }

    fn list(&self, query: &ObjectQuery) -> Result<Vec<Value>, LookupError> {
        let kind = self.kind(&query.group, &query.version, &query.resource)?;
        if !kind.is_watchable() {
            let what = format!("the list of {}", query.resource);
            let list = self.live(Method::GET, kind.collection(&query.namespace), Value::Null, what)?;
            return Ok(list.get("items").and_then(Value::as_array).unwrap_or_default().to_vec());
        }
        Ok(self.store(&kind)?.list(&query.namespace))
    }

    fn objects(&self) -> Result<Value, LookupError> {
        let kinds = self.shared.inventory.lock().unwrap_or_else(PoisonError::into_inner).kinds.clone();
        if kinds.is_empty() {
            return Err(LookupError::Unavailable {
                what: "the inventory of the cluster".into(),
                remedy: "name its kinds in a Gatekeeper Config (spec.sync.syncOnly) or a SyncSet".into(),
            });
        }
        let stores = kinds.iter().map(|gvk| self.store(&self.kind(&gvk.group, &gvk.version, &gvk.kind)?));
        let stores = stores.collect::<Result<Vec<_>, _>>()?;
        let generations: Vec<u64> = stores.iter().map(|store| store.generation()).collect();
        let mut inventory = self.shared.inventory.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made, objects)) = &inventory.made
            && *made == generations
        {
            return Ok(objects.clone());
        }
        let objects = Value::array(stores.iter().flat_map(|store| store.list("")).collect::<Vec<_>>());
        inventory.made = Some((generations, objects.clone()));
        Ok(objects)
    }

    fn call(&self, call: &ApiCall) -> Result<Value, LookupError> {
        let what = format!("{} {}", call.method, call.url);
        if !call.url.starts_with('/') {
            return Err(LookupError::Unavailable {
                what,
                remedy: "the control plane calls only the Kubernetes API server for policies".into(),
            });
        }
        match &*call.method {
            "POST" => self.live(Method::POST, call.url.to_string(), call.body.clone(), what),
            "GET" | "" => match self.cached(&call.url) {
                Some(answer) => answer,
                None => self.live(Method::GET, call.url.to_string(), Value::Null, what),
            },
            _ => Err(LookupError::Failed(format!("{what}: policies may send GET and POST only"))),
        }
    }

    fn global_context(&self, name: &str, projection: &str) -> Result<Value, LookupError> {
        if name == BESIDE {
            return self.beside(projection);
        }
        let entry = self.get(&ObjectQuery {
            group: "kyverno.io".into(),
            version: "*".into(),
            resource: "GlobalContextEntry".into(),
            name: name.into(),
            ..ObjectQuery::default()
        })?;
        let data = self.context(name, &entry)?;
        if projection.is_empty() { Ok(data) } else { self.projected(name, &entry, projection, &data) }
    }

    fn http(&self, call: &ApiCall) -> Result<Value, LookupError> {
        self.call(call)
    }

    fn send(&self, request: &Value) -> Result<Value, LookupError> {
        (self.shared.outside.send)(request)
    }

    fn namespace(&self, name: &str) -> Namespace {
        // A namespace that was made a moment ago may not have arrived yet when its first objects do.
        let found = match self.get(&ObjectQuery::namespace(name)) {
            Err(LookupError::NotFound(what)) => {
                self.live(Method::GET, format!("/api/v1/namespaces/{name}"), Value::Null, what)
            }
            answer => answer,
        };
        found.into()
    }
}

impl Caches {
    fn kind(&self, group: &str, version: &str, resource: &str) -> Result<Arc<Kind>, LookupError> {
        let discovery = self.discovery();
        let kind = discovery.find(group, version, resource).cloned();
        kind.ok_or_else(|| LookupError::Failed(format!("the cluster has no kind `{group}/{version}/{resource}`")))
    }

    /// The cache of `kind`, once it can be asked.
    fn store(&self, kind: &Arc<Kind>) -> Result<Arc<Store>, LookupError> {
        let store = self.shared.open(kind);
        store.ready(FIRST_LIST).map_err(LookupError::Failed)?;
        Ok(store)
    }

    /// The answer to a GET of `path`, where caches have it.
    fn cached(&self, path: &str) -> Option<Result<Value, LookupError>> {
        let address = Address::parse(path)?;
        let discovery = self.discovery();
        let kind = discovery.kinds().iter().find(|kind| {
            *kind.gvk.group == *address.group
                && *kind.gvk.version == *address.version
                && *kind.plural == *address.plural
        })?;
        if !kind.is_watchable() || (kind.namespaced && address.namespace.is_empty() && !address.name.is_empty()) {
            return None;
        }
        Some(self.store(kind).and_then(|store| {
            if address.name.is_empty() {
                return Ok(list_of(kind, store.list(address.namespace)));
            }
            let missing = || LookupError::NotFound(format!("`{path}`"));
            store.get(address.namespace, address.name).ok_or_else(missing)
        }))
    }

    /// Asks the API server and waits for its answer.
    fn live(&self, method: Method, path: String, body: Value, what: String) -> Result<Value, LookupError> {
        let connection = self.connection().clone();
        let (answer, arrived) = std::sync::mpsc::sync_channel(1);
        self.shared.runtime.spawn(async move {
            let result = if method == Method::POST {
                connection.create(&path, &body).await
            } else {
                connection.get(&path).await
            };
            // Whoever waited may have given up.
            let _ = answer.send(result);
        });
        match arrived.recv_timeout(LIVE) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) if error.is_not_found() => Err(LookupError::NotFound(what)),
            Ok(Err(error)) => Err(LookupError::Failed(refused(&error))),
            Err(_) => Err(LookupError::Failed(format!("{what}: no answer within {} seconds", LIVE.as_secs()))),
        }
    }

    /// The data of a GlobalContextEntry.
    fn context(&self, name: &str, entry: &Value) -> Result<Value, LookupError> {
        let text =
            |path: [&str; 3]| entry.dig(path).and_then(Value::as_shared_str).cloned().unwrap_or_else(|| Str::from(""));
        if entry.dig(["spec", "kubernetesResource"]).is_some() {
            let field = |key| text(["spec", "kubernetesResource", key]);
            let query = ObjectQuery {
                group: field("group"),
                version: field("version"),
                resource: field("resource"),
                namespace: field("namespace"),
                name: "".into(),
            };
            return self.list(&query).map(Value::array);
        }
        let path = text(["spec", "apiCall", "urlPath"]);
        if path.is_empty() {
            return Err(LookupError::Unavailable {
                what: format!("global context entry `{name}`"),
                remedy: "use `kubernetesResource`, or `apiCall` with a `urlPath`, in the entry".into(),
            });
        }
        let interval = interval_of(&text(["spec", "apiCall", "refreshInterval"]));
        self.kept(name, &path, interval, || {
            let method = text(["spec", "apiCall", "method"]);
            self.call(&ApiCall { method, url: path.clone(), body: Value::Null })
        })
    }

    /// The answer of `ask`, kept for `interval`.
    fn kept(
        &self,
        name: &str,
        path: &str,
        interval: Duration,
        ask: impl FnOnce() -> Result<Value, LookupError>,
    ) -> Result<Value, LookupError> {
        let key = format!("{name} {path}");
        let known = self.shared.context.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some((asked, value)) = known
            && asked.elapsed() < interval
        {
            return Ok(value);
        }
        let value = ask()?;
        let mut context = self.shared.context.lock().unwrap_or_else(PoisonError::into_inner);
        context.retain(|_, (asked, _)| asked.elapsed() < KEPT);
        context.insert(key, (Instant::now(), value.clone()));
        Ok(value)
    }

    fn projected(&self, name: &str, entry: &Value, projection: &str, data: &Value) -> Result<Value, LookupError> {
        let all = entry.dig(["spec", "projections"]).and_then(Value::as_array).unwrap_or_default();
        let named = all.iter().find(|one| one.get("name").and_then(Value::as_str) == Some(projection));
        let Some(expression) = named.and_then(|one| one.get("jmesPath")?.as_str()) else {
            return Err(LookupError::NotFound(format!("projection `{projection}` of global context entry `{name}`")));
        };
        (self.shared.outside.project)(expression, data)
            .map_err(|why| LookupError::Failed(format!("projection `{projection}` of `{name}`: {why}")))
    }
}

/// How often the answer of an `apiCall` entry is renewed where the entry does not say so.
const REFRESH: Duration = Duration::from_mins(10);

/// How long an answer that nobody asks for any more is kept.
const KEPT: Duration = Duration::from_hours(1);

fn interval_of(text: &str) -> Duration {
    let seconds = GoDuration::parse(text).map_or(0.0, GoDuration::as_seconds);
    if seconds >= 1.0 { Duration::try_from_secs_f64(seconds).unwrap_or(REFRESH) } else { REFRESH }
}

fn described(query: &ObjectQuery) -> String {
    let ObjectQuery { resource, namespace, name, .. } = query;
    if namespace.is_empty() { format!("{resource} `{name}`") } else { format!("{resource} `{namespace}/{name}`") }
}

fn refused(error: &KubeError) -> String {
    if error.is_forbidden() {
        format!(
            "{error}; permit it to Palisade with a ClusterRole labelled `{}`",
            crate::permissions::AGGREGATION_LABEL
        )
    } else {
        error.to_string()
    }
}

/// Objects as the API server answers a request for their collection.
fn list_of(kind: &Kind, items: Vec<Value>) -> Value {
    let mut list = Map::with_capacity(4);
    list.insert("apiVersion", Value::string(kind.gvk.api_version()));
    list.insert("kind", Value::string(format!("{}List", kind.gvk.kind)));
    list.insert("metadata", Value::object(Map::new()));
    list.insert("items", Value::array(items));
    Value::object(list)
}
