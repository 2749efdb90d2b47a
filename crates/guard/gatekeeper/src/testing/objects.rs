//! The object of a case as a request, and the objects beside it as a cluster.

use palisade_model::{GroupVersionKind, Map, Resource, Str, Value};
use palisade_policy::lookups::DEFAULT_NAMESPACE;
use palisade_policy::{
    AdmissionRequest, LookupError, Lookups, Namespace, ObjectQuery, Offline, Operation, Request, UserInfo,
    forward_lookups,
};

/// What is put before a constraint.
#[derive(Debug)]
pub(super) struct Subject {
    /// As `Kind namespace/name`.
    pub(super) name: String,
    pub(super) request: Request,
    /// Whether there is no operation: the case names an object, not an AdmissionReview.
    pub(super) bare: bool,
}

const REVIEW_FIELDS: [&str; 4] = ["apiVersion", "kind", "request", "response"];
const REQUEST_FIELDS: [&str; 16] = [
    "uid",
    "kind",
    "resource",
    "subResource",
    "requestKind",
    "requestResource",
    "requestSubResource",
    "name",
    "namespace",
    "operation",
    "userInfo",
    "object",
    "oldObject",
    "dryRun",
    "options",
    "generateName",
];

impl Subject {
    /// The request that an object of a case stands for.
    pub(super) fn of(object: &Resource) -> Result<Self, String> {
        let gvk = object.gvk().unwrap_or_default();
        if &*gvk.kind == "AdmissionReview" && &*gvk.group == "admission.k8s.io" {
            return Self::reviewed(&object.object);
        }
        let request = AdmissionRequest::of(object, Operation::Create);
        Ok(Self { name: object.to_string(), request: Request::admission(request), bare: true })
    }

    fn reviewed(review: &Value) -> Result<Self, String> {
        known(review, &REVIEW_FIELDS)?;
        let request = review.get("request").filter(|request| !request.is_null());
        let request = request.ok_or("the AdmissionReview has no `request`")?;
        known(request, &REQUEST_FIELDS)?;
        let text = |key: &str| request.get(key).and_then(Value::as_shared_str).cloned().unwrap_or_default();
        let whole = |key: &str| request.get(key).cloned().unwrap_or_default();
        let (object, old_object) = (whole("object"), whole("oldObject"));
        if object.is_null() && old_object.is_null() {
            return Err("the AdmissionReview has neither `object` nor `oldObject`".into());
        }
        let named = text("operation");
        let operation = if named.is_empty() { Operation::Create } else { named.parse()? };
        if operation == Operation::Delete && old_object.is_null() {
            return Err("the AdmissionReview of a deletion has no `oldObject`".into());
        }
        let names = |key: &str, last: &str| {
            let text =
                |part: &str| request.dig([key, part]).and_then(Value::as_shared_str).cloned().unwrap_or_default();
            (text("group"), text("version"), text(last))
        };
        let (group, version, kind) = names("kind", "kind");
        let admission = AdmissionRequest {
            uid: text("uid"),
            operation,
            kind: GroupVersionKind { group, version, kind },
            resource: names("resource", "resource").2,
            sub_resource: text("subResource"),
            namespace: text("namespace"),
            name: text("name"),
            object,
            old_object,
            options: whole("options"),
            dry_run: request.get("dryRun").and_then(Value::as_bool).unwrap_or_default(),
            user: user(request.get("userInfo")),
            ..AdmissionRequest::default()
        };
        let name = Resource::in_memory(admission.subject().clone()).to_string();
        Ok(Self { name, request: Request::admission(admission), bare: named.is_empty() })
    }
}

/// Refuses members that do not exist, as decoding them in Gatekeeper does.
fn known(value: &Value, fields: &[&str]) -> Result<(), String> {
    let unknown = value.as_object().into_iter().flat_map(Map::keys).find(|key| !fields.contains(&&***key));
    unknown.map_or(Ok(()), |key| Err(format!("the AdmissionReview has an unknown field `{key}`")))
}

fn user(info: Option<&Value>) -> UserInfo {
    let text =
        |key: &str| info.and_then(|info| info.get(key)).and_then(Value::as_shared_str).cloned().unwrap_or_default();
    let groups = info.and_then(|info| info.get("groups")).and_then(Value::as_array).unwrap_or_default();
    let extra = info.and_then(|info| info.get("extra")).and_then(Value::as_object).cloned();
    UserInfo {
        username: text("username"),
        uid: text("uid"),
        groups: groups.iter().filter_map(|group| group.as_shared_str().map(Str::clone)).collect(),
        extra: extra.unwrap_or_default(),
    }
}

/// The inventory of a case: just these objects exist.
#[derive(Debug)]
pub(super) struct Cluster(Value);

impl Cluster {
    /// A cluster that holds `objects`.
    pub(super) fn new(objects: Vec<Value>) -> Self {
        Self(Value::array(objects))
    }
}

impl Lookups for Cluster {
    forward_lookups!(|_this| Offline; list, call, http, send, global_context, image);

    /// Every cluster has the namespace `default`, and it carries no labels of interest until somebody adds them.
    fn namespace(&self, name: &str) -> Namespace {
        match self.get(&ObjectQuery::namespace(name)).into() {
            Namespace::Missing if name == DEFAULT_NAMESPACE => Namespace::named(name),
            found => found,
        }
    }

    fn get(&self, query: &ObjectQuery) -> Result<Value, LookupError> {
        let matches = |object: &&Value| {
            let text = |key| object.dig(["metadata", key]).and_then(Value::as_str).unwrap_or_default();
            let gvk = GroupVersionKind::of(object).unwrap_or_default();
            gvk.kind == query.resource
                && gvk.group == query.group
                && text("name") == &*query.name
                && text("namespace") == &*query.namespace
        };
        let found = self.0.as_array().unwrap_or_default().iter().find(matches);
        found.cloned().ok_or_else(|| LookupError::NotFound(format!("{} `{}`", query.resource, query.name)))
    }

    fn objects(&self) -> Result<Value, LookupError> {
        Ok(self.0.clone())
    }
}
