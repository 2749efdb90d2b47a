//! What policies find when they look beyond the object before them, while they are tested.

use std::collections::HashMap;

use palisade_model::resource::plural;
use palisade_model::{GroupVersionKind, Map, Str, Value};
use palisade_policy::{ApiCall, LookupError, Lookups, Namespace, ObjectQuery, Offline, forward_lookups};

use super::objects::Key;

/// The surroundings of a test: its objects and mocks.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    /// Objects; of two with the same identity, the first is found.
    pub(super) objects: Vec<Value>,
    /// Namespaces given in full by the values.
    pub(super) namespaces: Vec<Value>,
    /// Plural names of custom kinds.
    pub(super) plurals: HashMap<Str, Str>,
    /// Image data by reference.
    pub(super) images: HashMap<String, Value>,
    /// Mocked calls, by address or `METHOD:address`.
    pub(super) calls: HashMap<String, Answer>,
    /// Data of global context entries.
    pub(super) global: HashMap<String, Value>,
    /// Whether the test describes a cluster, whose API may be called.
    pub(super) live: bool,
}

/// The mocked answer to a call.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Surroundings {
    /// The plural name of a kind.
    pub(super) fn plural(&self, kind: &str) -> Str {
        self.plurals.get(kind).cloned().unwrap_or_else(|| plural(kind).into())
    }

    fn is_of(&self, gvk: &GroupVersionKind, query: &ObjectQuery) -> bool {
        let any = |wanted: &Str, own: &Str| &**wanted == "*" || wanted == own;
        any(&query.group, &gvk.group)
            && (query.version.is_empty() || any(&query.version, &gvk.version))
            && (query.resource == gvk.kind || query.resource == self.plural(&gvk.kind))
    }

    fn find<'a>(&'a self, query: &'a ObjectQuery) -> impl Iterator<Item = (Key, &'a Value)> {
        let of_kind = |object: &&Value| GroupVersionKind::of(object).is_some_and(|gvk| self.is_of(&gvk, query));
        let found = self.objects.iter().filter(of_kind).map(|object| (Key::of(object), object));
        found.filter(|(key, _)| query.namespace.is_empty() || key.namespace == query.namespace)
    }

    fn answer(&self, call: &ApiCall) -> Option<&Answer> {
        self.calls.get(&format!("{}:{}", call.method, call.url)).or_else(|| self.calls.get(&*call.url))
    }

    /// A GET on the API server, answered from the objects.
    fn read(&self, path: &str) -> Option<Result<Value, LookupError>> {
        let (path, _) = path.split_once('?').unwrap_or((path, ""));
        let (group, rest) = match path.split('/').skip(1).collect::<Vec<_>>()[..] {
            ["api", version, ref rest @ ..] => (("", version), rest.to_vec()),
            ["apis", group, version, ref rest @ ..] => ((group, version), rest.to_vec()),
            _ => return None,
        };
        let (namespace, resource, name) = match rest[..] {
            [resource] => ("", resource, ""),
            [resource, name] => ("", resource, name),
            ["namespaces", namespace, resource] => (namespace, resource, ""),
            ["namespaces", namespace, resource, name] => (namespace, resource, name),
            _ => return None,
        };
        let query = ObjectQuery {
            group: group.0.into(),
            version: group.1.into(),
            resource: resource.into(),
            namespace: namespace.into(),
            name: name.into(),
        };
        if !name.is_empty() {
            return Some(self.get(&query));
        }
        Some(self.list(&query).map(|items| {
            let kind = items.first().and_then(|item| item.get("kind")).and_then(Value::as_str).unwrap_or_default();
            let api_version = if group.0.is_empty() { group.1.to_owned() } else { format!("{}/{}", group.0, group.1) };
            let mut list = Map::new();
            list.insert("apiVersion", api_version);
            list.insert("kind", format!("{kind}List"));
            list.insert("items", items);
            Value::object(list)
        }))
    }
}

impl Lookups for Surroundings {
    forward_lookups!(|_this| Offline; objects, send);

    fn get(&self, query: &ObjectQuery) -> Result<Value, LookupError> {
        let found = self.find(query).find(|(key, _)| key.name == query.name);
        found.map(|(_, object)| object.clone()).ok_or_else(|| {
            LookupError::NotFound(format!("{} `{}` among the objects of the test", query.resource, query.name))
        })
    }

    fn list(&self, query: &ObjectQuery) -> Result<Vec<Value>, LookupError> {
        let mut found: Vec<(Key, &Value)> = Vec::new();
        for (key, object) in self.find(query) {
            if !found.iter().any(|(known, _)| *known == key) {
                found.push((key, object));
            }
        }
        Ok(found.into_iter().map(|(_, object)| object.clone()).collect())
    }

    fn call(&self, call: &ApiCall) -> Result<Value, LookupError> {
        match self.answer(call) {
            Some(answer) if (200..300).contains(&answer.status) => Ok(answer.body.clone()),
            Some(answer) => Err(LookupError::Failed(format!("HTTP {} from {}", answer.status, call.url))),
            None if self.live && &*call.method == "GET" => {
                self.read(&call.url).unwrap_or_else(|| Err(LookupError::offline(&call.url)))
            }
            None => Err(LookupError::offline(format_args!("{} {}", call.method, call.url))),
        }
    }

    fn http(&self, call: &ApiCall) -> Result<Value, LookupError> {
        let answer =
            self.answer(call).ok_or_else(|| LookupError::offline(format_args!("{} {}", call.method, call.url)))?;
        let mut whole = Map::new();
        whole.insert("body", answer.body.clone());
        whole.insert("statusCode", i64::from(answer.status));
        Ok(Value::object(whole))
    }

    fn global_context(&self, name: &str, projection: &str) -> Result<Value, LookupError> {
        let Some(value) = self.global.get(name) else {
            return Err(LookupError::NotFound(format!("global context entry `{name}`")));
        };
        match projection {
            "" => Ok(value.clone()),
            projection => value.get(projection).cloned().ok_or_else(|| {
                LookupError::Failed(format!("projection `{projection}` not found in global context entry `{name}`"))
            }),
        }
    }

    fn image(&self, reference: &str) -> Result<Value, LookupError> {
        let found = self.images.get(reference).cloned();
        found.ok_or_else(|| LookupError::offline(format_args!("image data of `{reference}`")))
    }

    /// Namespaces come from the values; the test's own objects stand for a cluster only where it describes one.
    fn namespace(&self, name: &str) -> Namespace {
        let given = self.namespaces.iter();
        let is_namespace = |object: &&Value| object.get("kind").and_then(Value::as_str) == Some("Namespace");
        let declared = self.objects.iter().filter(|_| self.live).filter(is_namespace);
        given
            .chain(declared)
            .find(|object| *Key::of(object).name == *name)
            .cloned()
            .map_or(Namespace::Missing, Namespace::Known)
    }
}
