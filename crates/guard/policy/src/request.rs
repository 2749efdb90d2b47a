//! What is put before the policies: an admission request, or another payload with the same standing.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use palisade_model::{GroupVersionKind, Map, Resource, Str, Value, resource};

use crate::lookups::DEFAULT_NAMESPACE;

/// What happens to the object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Operation {
    /// It is created; what files that are checked before deployment stand for.
    #[default]
    Create,
    /// It replaces an older one.
    Update,
    /// It goes away.
    Delete,
    /// A connection such as `exec` or `port-forward`.
    Connect,
}

impl Operation {
    /// As Kubernetes writes it: `CREATE`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "CREATE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Operation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Create, Self::Update, Self::Delete, Self::Connect]
            .into_iter()
            .find(|operation| operation.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("unknown operation `{text}`: one of CREATE, UPDATE, DELETE, CONNECT"))
    }
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserInfo {
    /// User name, such as `system:serviceaccount:default:builder`.
    pub username: Str,
    /// Stable identifier.
    pub uid: Str,
    /// Groups.
    pub groups: Vec<Str>,
    /// Further facts from the authenticator; values are arrays of strings.
    pub extra: Map,
}

/// The group of everybody who has logged in.
const AUTHENTICATED: &str = "system:authenticated";

impl UserInfo {
    /// The user with the group that the API server gives everybody; of a user without a name, that is all that is known.
    #[must_use]
    pub fn authenticated(mut self) -> Self {
        let placed = self.groups.iter().any(|group| matches!(&**group, AUTHENTICATED | "system:unauthenticated"));
        if !placed {
            self.groups.push(AUTHENTICATED.into());
        }
        self
    }

    /// Whether nothing is known of who asks, but that somebody does.
    pub fn is_nobody(&self) -> bool {
        let anybody = self.groups.iter().all(|group| &**group == AUTHENTICATED);
        anybody && self.username.is_empty() && self.uid.is_empty() && self.extra.is_empty()
    }

    /// As it stands in an AdmissionReview; absent parts are left out.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        if !self.username.is_empty() {
            map.insert("username", self.username.clone());
        }
        if !self.uid.is_empty() {
            map.insert("uid", self.uid.clone());
        }
        if !self.groups.is_empty() {
            map.insert("groups", self.groups.iter().cloned().map(Value::from).collect::<Vec<_>>());
        }
        if !self.extra.is_empty() {
            map.insert("extra", self.extra.clone());
        }
        Value::object(map)
    }
}

/// A Kubernetes admission request (`admission.k8s.io/v1`), the common form of everything that is a Kubernetes object.
#[derive(Clone, Debug, Default)]
pub struct AdmissionRequest {
    /// Identifier of the request; empty offline.
    pub uid: Str,
    /// What happens to the object.
    pub operation: Operation,
    /// Group, version and kind of the object.
    pub kind: GroupVersionKind,
    /// Plural resource name, such as `deployments`.
    pub resource: Str,
    /// Subresource such as `status` or `scale`; empty for the object itself.
    pub sub_resource: Str,
    /// Namespace; empty for cluster-scoped objects.
    pub namespace: Str,
    /// Name of the object, `generateName` where it has none yet.
    pub name: Str,
    /// The new object; `null` when deleting.
    pub object: Value,
    /// The existing object; `null` when creating.
    pub old_object: Value,
    /// Options of the operation, such as `CreateOptions`; `null` offline.
    pub options: Value,
    /// Whether nothing will be stored.
    pub dry_run: bool,
    /// Who asks.
    pub user: UserInfo,
    /// Namespaced roles bound to the user, as `namespace:name`.
    pub roles: Vec<Str>,
    /// Cluster roles bound to the user.
    pub cluster_roles: Vec<Str>,
    /// Group and version of the resource where they are not the kind's: `apps/v1` for `deployments/scale`, whose kind is
    /// of `autoscaling/v1`.
    pub resource_of: Option<GroupVersion>,
    /// What the client asked for, where the API server converted it.
    pub requested: Option<Box<Requested>>,
}

/// Group and version of an API; the core group is the empty string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupVersion {
    /// Group.
    pub group: Str,
    /// Version.
    pub version: Str,
}

/// The request as the client made it (`requestKind`, `requestResource`, `requestSubResource`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requested {
    /// Group, version and kind of the object.
    pub kind: GroupVersionKind,
    /// Group and version of the resource.
    pub resource_of: GroupVersion,
    /// Plural resource name.
    pub resource: Str,
    /// Subresource; empty for the object itself.
    pub sub_resource: Str,
}

/// The built-in resources whose subresources are of other kinds.
const PARENTS: [(&str, &str); 8] = [
    ("pods", "Pod"),
    ("services", "Service"),
    ("nodes", "Node"),
    ("serviceaccounts", "ServiceAccount"),
    ("deployments", "Deployment"),
    ("replicasets", "ReplicaSet"),
    ("statefulsets", "StatefulSet"),
    ("replicationcontrollers", "ReplicationController"),
];

/// What the kind of a custom resource is most likely called; only discovery knows.
fn singular(resource: &str) -> String {
    let stem = resource.strip_suffix('s').unwrap_or(resource);
    let mut letters = stem.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

impl AdmissionRequest {
    /// The API group of the resource, which webhook rules select by.
    pub fn resource_group(&self) -> &Str {
        self.resource_of.as_ref().map_or(&self.kind.group, |of| &of.group)
    }

    /// The API version of the resource.
    pub fn resource_version(&self) -> &Str {
        self.resource_of.as_ref().map_or(&self.kind.version, |of| &of.version)
    }

    /// The request that would bring `resource` about by `operation`, wherever it is judged. On delete the object is the old
    /// one; what an update replaces is not known until somebody says.
    pub fn of(resource: &Resource, operation: Operation) -> Self {
        let kind = resource.gvk().unwrap_or_default();
        let (object, old_object) = match operation {
            Operation::Delete => (Value::Null, resource.object.clone()),
            _ => (resource.object.clone(), Value::Null),
        };
        Self {
            operation,
            resource: palisade_model::resource::plural(&kind.kind).into(),
            namespace: resource.namespace().into(),
            name: resource.name().into(),
            object,
            old_object,
            kind,
            ..Self::default()
        }
    }

    /// The request as the API server gets it of an object that writes no namespace, though its kind has one.
    #[must_use]
    pub fn in_default_namespace(mut self) -> Self {
        if self.namespace.is_empty() {
            self.namespace = DEFAULT_NAMESPACE.into();
        }
        self
    }

    /// The kind of the object that a subresource belongs to: `Pod` for `pods/exec`, whose own kind is `PodExecOptions`.
    /// The kind of the request itself for everything else.
    pub fn parent_kind(&self) -> Cow<'_, GroupVersionKind> {
        if self.sub_resource.is_empty() || resource::plural(&self.kind.kind) == *self.resource {
            return Cow::Borrowed(&self.kind);
        }
        let known = PARENTS.iter().find(|(resource, _)| *resource == &*self.resource);
        let kind = known.map_or_else(|| singular(&self.resource), |(_, kind)| (*kind).to_owned());
        let (group, version) = (self.resource_group().clone(), self.resource_version().clone());
        Cow::Owned(GroupVersionKind { group, version, kind: kind.into() })
    }

    /// The object that the request is about: the new one, or the old one when it is deleted.
    pub fn subject(&self) -> &Value {
        if self.object.is_null() { &self.old_object } else { &self.object }
    }

    /// As the `request` of an AdmissionReview.
    pub fn to_value(&self) -> Value {
        let names = |group: &Str, version: &Str, last: (&str, &Str)| {
            [("group", group), ("version", version), last]
                .into_iter()
                .map(|(key, text)| (Str::from(key), Value::from(text.clone())))
                .collect::<Map>()
        };
        let mut map = Map::with_capacity(12);
        map.insert("uid", self.uid.clone());
        map.insert("kind", names(&self.kind.group, &self.kind.version, ("kind", &self.kind.kind)));
        let (group, version) = (self.resource_group(), self.resource_version());
        map.insert("resource", names(group, version, ("resource", &self.resource)));
        if !self.sub_resource.is_empty() {
            map.insert("subResource", self.sub_resource.clone());
        }
        map.insert("name", self.name.clone());
        map.insert("namespace", self.namespace.clone());
        map.insert("operation", self.operation.as_str());
        map.insert("userInfo", self.user.to_value());
        map.insert("object", self.object.clone());
        map.insert("oldObject", self.old_object.clone());
        map.insert("dryRun", self.dry_run);
        map.insert("options", self.options.clone());
        map.insert("roles", self.roles.iter().cloned().map(Value::from).collect::<Vec<_>>());
        map.insert("clusterRoles", self.cluster_roles.iter().cloned().map(Value::from).collect::<Vec<_>>());
        Value::object(map)
    }
}

/// The forms of payload that policies judge (`spec.evaluation.mode` of Kyverno's CEL kinds).
#[derive(Clone, Debug)]
pub enum Payload {
    /// A Kubernetes object on its way into a cluster.
    Kubernetes(Box<AdmissionRequest>),
    /// Any other document: YAML, JSON or TOML that is no Kubernetes object.
    Document(Value),
    /// An HTTP request, as Kyverno's authorizer describes it.
    Http(Value),
    /// An Envoy `CheckRequest` (ext_authz v3).
    Envoy(Value),
}

/// What an API server makes of an object before it asks anybody; `None` where it stays as it is.
pub type Completion = fn(&Value) -> Option<Value>;

/// A payload and what was derived from it once for all policies.
pub struct Request {
    payload: Payload,
    /// The object as it was written, and what made more of it.
    written: Option<(Value, Completion)>,
    /// The request about that object.
    as_written: OnceLock<Box<Self>>,
    value: OnceLock<Value>,
    derived: Mutex<Vec<Arc<dyn Any + Send + Sync>>>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("payload", &self.payload).finish_non_exhaustive()
    }
}

impl Request {
    /// A request of any payload.
    pub fn new(payload: Payload) -> Self {
        Self { payload, written: None, as_written: OnceLock::new(), value: OnceLock::new(), derived: Mutex::default() }
    }

    /// A request about a Kubernetes object.
    pub fn admission(request: AdmissionRequest) -> Self {
        Self::new(Payload::Kubernetes(Box::new(request)))
    }

    /// The same request in the place of an API server's: policies see its objects as the server would have completed them.
    #[must_use]
    pub fn completed(self, complete: Completion) -> Self {
        let Payload::Kubernetes(mut request) = self.payload else { return self };
        let written = request.subject().clone();
        for object in [&mut request.object, &mut request.old_object] {
            if let Some(completed) = complete(object) {
                *object = completed;
            }
        }
        Self { written: Some((written, complete)), ..Self::new(Payload::Kubernetes(request)) }
    }

    /// The object as it was written, before an API server's part and before any change: what rules about files judge.
    pub fn written(&self) -> &Value {
        match (&self.written, &self.payload) {
            (Some((written, _)), _) => written,
            (None, Payload::Kubernetes(request)) => request.subject(),
            (None, Payload::Document(value) | Payload::Http(value) | Payload::Envoy(value)) => value,
        }
    }

    /// The request as if nobody completed or changed the object, for policies that are about what is written.
    pub fn as_written(&self) -> &Self {
        let (Some((written, _)), Payload::Kubernetes(request)) = (&self.written, &self.payload) else { return self };
        self.as_written.get_or_init(|| {
            let mut request = AdmissionRequest::clone(request);
            if request.object.is_null() {
                request.old_object = written.clone();
            } else {
                request.object = written.clone();
            }
            Box::new(Self::admission(request))
        })
    }

    /// The payload.
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The admission request, for payloads that are Kubernetes objects.
    pub fn as_admission(&self) -> Option<&AdmissionRequest> {
        match &self.payload {
            Payload::Kubernetes(request) => Some(request),
            _ => None,
        }
    }

    /// The payload as one value: the AdmissionReview's `request`, or the document itself. Built on first use.
    pub fn value(&self) -> &Value {
        self.value.get_or_init(|| match &self.payload {
            Payload::Kubernetes(request) => request.to_value(),
            Payload::Document(value) | Payload::Http(value) | Payload::Envoy(value) => value.clone(),
        })
    }

    /// What a language derives from the request once for all its policies, such as the payload in its own form of
    /// value. `T` is the key: each language keeps its own types here.
    pub fn derived<T: Any + Send + Sync>(&self, derive: impl FnOnce(&Self) -> T) -> Arc<T> {
        let known = |derived: &[Arc<dyn Any + Send + Sync>]| {
            derived.iter().find_map(|entry| Arc::clone(entry).downcast::<T>().ok())
        };
        let lock = || self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = known(&lock()) {
            return value;
        }
        // Not under the lock: deriving may ask for another derived value.
        let value = Arc::new(derive(self));
        let mut derived = lock();
        if let Some(first) = known(&derived) {
            return first;
        }
        derived.push(Arc::clone(&value) as Arc<dyn Any + Send + Sync>);
        value
    }

    /// The same request about a changed object, for what follows a mutation.
    #[must_use]
    pub fn with_object(&self, object: Value) -> Self {
        let object = self.written.as_ref().and_then(|(_, complete)| complete(&object)).unwrap_or(object);
        let payload = match &self.payload {
            Payload::Kubernetes(request) => {
                let mut request = request.clone();
                if request.object.is_null() {
                    request.old_object = object;
                } else {
                    request.object = object;
                }
                Payload::Kubernetes(request)
            }
            Payload::Document(_) => Payload::Document(object),
            Payload::Http(_) => Payload::Http(object),
            Payload::Envoy(_) => Payload::Envoy(object),
        };
        Self { written: self.written.clone(), ..Self::new(payload) }
    }
}

#[cfg(test)]
mod tests {
    use palisade_model::json;

    use super::*;

    #[test]
    fn everybody_is_in_one_group_and_nobody_is_known_by_it() {
        let named = |name: &str| UserInfo { username: name.into(), ..UserInfo::default() }.authenticated();
        assert!(named("").is_nobody() && UserInfo::default().is_nobody() && !named("jane").is_nobody());
        assert_eq!(named("jane").authenticated().groups, ["system:authenticated".into()]);
    }

    #[test]
    fn what_was_written_outlives_completion_and_change() {
        let object = |kind: &str| json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": "a"}});
        let request = Request::admission(AdmissionRequest::of(&Resource::in_memory(object("Pod")), Operation::Create));
        let request = request
            .completed(|value| (!value.is_null()).then(|| json!({"kind": value.get("kind").unwrap().to_json()})));
        let seen = |request: &Request| request.as_admission().unwrap().object.to_json();
        assert_eq!(seen(&request), r#"{"kind":"\"Pod\""}"#);
        assert_eq!(seen(request.as_written()), object("Pod").to_json());
        let changed = request.with_object(object("Job"));
        assert_eq!(seen(&changed), r#"{"kind":"\"Job\""}"#, "what was changed is completed again");
        assert_eq!(changed.written(), &object("Pod"));
        assert_eq!(seen(changed.as_written()), object("Pod").to_json());
    }

    #[test]
    fn each_operation_has_the_objects_that_it_is_about() {
        let has = |operation| {
            let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}});
            let request = AdmissionRequest::of(&Resource::in_memory(object), operation);
            (!request.object.is_null(), !request.old_object.is_null())
        };
        assert_eq!(has(Operation::Create), (true, false));
        assert_eq!(has(Operation::Update), (true, false));
        assert_eq!(has(Operation::Delete), (false, true));
    }
}
