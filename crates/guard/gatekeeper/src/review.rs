//! What is under review, and the forms in which templates see it.

use palisade_cel::admission::NamespaceView;
use palisade_model::{GroupVersionKind, Map, Str, Value, json};
use palisade_policy::{AdmissionRequest, Environment, Operation, Request};

use crate::matching::{Origin, Target};

/// An object before a constraint.
#[derive(Debug)]
pub(crate) struct Review<'a> {
    /// The request, which holds what was derived from it before.
    pub(crate) request: &'a Request,
    pub(crate) admission: &'a AdmissionRequest,
    pub(crate) environment: &'a Environment<'a>,
    pub(crate) origin: Origin,
    /// Whether there is no request behind the object, as in the cases of a suite: it then has no operation.
    pub(crate) bare: bool,
    pub(crate) namespace: NamespaceView<'a>,
    /// What the object says it is; a match goes by that rather than by the request.
    gvk: GroupVersionKind,
}

impl<'a> Review<'a> {
    /// A review of `request`; `None` where it is not about a Kubernetes object.
    pub(crate) fn new(request: &'a Request, environment: &'a Environment<'a>, origin: Origin) -> Option<Self> {
        let admission = request.as_admission()?;
        let namespace = match &*admission.namespace {
            "" => admission.subject().dig(["metadata", "namespace"]).and_then(Value::as_str).unwrap_or_default(),
            name => name,
        };
        let namespace = NamespaceView::new(namespace, environment);
        let gvk = GroupVersionKind::of(admission.subject()).unwrap_or_else(|| admission.kind.clone());
        Some(Self { request, admission, environment, origin, bare: false, namespace, gvk })
    }

    /// The same review with no operation.
    pub(crate) fn bare(self, bare: bool) -> Self {
        Self { bare, ..self }
    }

    /// Whether the review says what happens to the object.
    pub(crate) const fn has_operation(&self) -> bool {
        !self.bare
    }

    /// The objects that a match may select by: the new one and the old one.
    pub(crate) fn targets(&'a self) -> impl Iterator<Item = Target<'a>> {
        let objects = [&self.admission.object, &self.admission.old_object];
        objects.into_iter().filter(|object| !object.is_null()).map(|object| Target {
            object,
            gvk: &self.gvk,
            namespace_name: &self.admission.namespace,
            namespace: &self.namespace,
            origin: self.origin,
        })
    }

    /// The request without its objects, as CEL sees it.
    pub(crate) fn request_value(&self) -> Value {
        let mut map = self.head();
        let asked = self.admission.requested.as_ref().map_or(&self.admission.kind, |asked| &asked.kind);
        map.insert("requestKind", names(&asked.group, &asked.version, "kind", &asked.kind));
        map.insert("dryRun", self.admission.dry_run);
        map.insert("options", self.admission.options.clone());
        Value::object(map)
    }

    /// `input.review` as Rego sees it. An object that is deleted stands in the place of the new one too.
    pub(crate) fn to_value(&self) -> Value {
        let AdmissionRequest { object, old_object, options, .. } = self.admission;
        let deleted = object.is_null() && self.admission.operation == Operation::Delete;
        let mut map = self.head();
        map.insert("object", if deleted { old_object.clone() } else { object.clone() });
        map.insert("oldObject", old_object.clone());
        map.insert("options", options.clone());
        // Templates that look at it are not asked where it is not known.
        let namespace = self.namespace.object().ok().flatten();
        map.insert("namespaceObject", namespace.cloned().unwrap_or_else(|| Value::object(Map::new())));
        if let Some(namespace) = namespace {
            // Where older templates find it.
            let mut unstable = Map::new();
            unstable.insert("namespace", namespace.clone());
            map.insert("_unstable", unstable);
        }
        Value::object(map)
    }

    fn head(&self) -> Map {
        let request = self.admission;
        let mut map = Map::with_capacity(16);
        map.insert("uid", request.uid.clone());
        map.insert("kind", names(&request.kind.group, &request.kind.version, "kind", &request.kind.kind));
        // An object that no request is about is of no resource.
        let resource = if self.bare {
            json!({"group": "", "version": "", "resource": ""})
        } else {
            names(request.resource_group(), request.resource_version(), "resource", &request.resource)
        };
        map.insert("resource", resource);
        let texts =
            [("subResource", &request.sub_resource), ("name", &request.name), ("namespace", &request.namespace)];
        for (key, text) in texts {
            if !text.is_empty() {
                map.insert(key, text.clone());
            }
        }
        map.insert("operation", if self.bare { "" } else { request.operation.as_str() });
        map.insert("userInfo", request.user.to_value());
        if !self.bare {
            map.insert("dryRun", request.dry_run);
        }
        map
    }
}

/// Group, version and kind or resource, as reviews write them.
fn names(group: &Str, version: &Str, last: &str, text: &Str) -> Value {
    let mut names = Map::with_capacity(3);
    names.insert("group", group.clone());
    names.insert("version", version.clone());
    names.insert(last, text.clone());
    Value::object(names)
}
