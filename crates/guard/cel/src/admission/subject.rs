//! What a CEL policy looks at: the request, its objects and its namespace, as expressions see them.

use std::cell::OnceCell;
use std::sync::Arc;

use palisade_model::{GroupVersionKind, Map, Str, Value};
use palisade_policy::{AdmissionRequest, Environment, Request};

use super::namespace::NamespaceView;
use super::sharing::Memo;
use crate::{EvalError, Val};

/// Whose rules decide what an expression finds where there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// An absent object is `null`; `request` leaves the objects out.
    Kubernetes,
    /// An absent object is empty; `request` carries the objects.
    Kyverno,
}

/// The request before a policy. Everything is wrapped or built when first asked for.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The new object.
    pub object: Val,
    /// The existing object; `None` is an empty one, made when it is asked for.
    old_object: Option<Val>,
    dialect: Dialect,
    request: Option<&'a AdmissionRequest>,
    namespace: Option<NamespaceView<'a>>,
    request_val: OnceCell<Val>,
    /// The request as a whole, where this is nothing but what it says.
    whole: Option<&'a Request>,
    memo: OnceCell<Arc<Memo>>,
}

impl<'a> Subject<'a> {
    /// An admission request.
    pub fn admission(request: &'a AdmissionRequest, environment: &'a Environment<'a>, dialect: Dialect) -> Self {
        let wrap = |object: &Value| match dialect {
            Dialect::Kyverno if object.is_null() => None,
            _ => Some(Val::from(object)),
        };
        Self {
            object: wrap(&request.object).unwrap_or_else(empty),
            old_object: wrap(&request.old_object),
            dialect,
            request: Some(request),
            namespace: Some(NamespaceView::new(&request.namespace, environment)),
            request_val: OnceCell::new(),
            whole: None,
            memo: OnceCell::new(),
        }
    }

    /// The admission request that `whole` is, before policies that may have expressions in common.
    pub fn of_request(
        whole: &'a Request,
        request: &'a AdmissionRequest,
        environment: &'a Environment<'a>,
        dialect: Dialect,
    ) -> Self {
        Self { whole: Some(whole), ..Self::admission(request, environment, dialect) }
    }

    /// A document that is not a Kubernetes object.
    pub fn payload(document: &Value) -> Self {
        Self::of_value(Val::from(document))
    }

    /// A value that is not a Kubernetes object, as `object`.
    pub const fn of_value(object: Val) -> Self {
        Self {
            object,
            old_object: Some(Val::Null),
            dialect: Dialect::Kyverno,
            request: None,
            namespace: None,
            request_val: OnceCell::new(),
            whole: None,
            memo: OnceCell::new(),
        }
    }

    /// The same request about another object.
    #[must_use]
    pub fn about(&self, object: &Value) -> Self {
        Self {
            object: Val::from(object),
            old_object: self.old_object.clone(),
            dialect: self.dialect,
            request: self.request,
            namespace: self.namespace.clone(),
            request_val: OnceCell::new(),
            whole: None,
            memo: OnceCell::new(),
        }
    }

    /// The same with an empty existing object.
    #[must_use]
    pub fn without_old_object(mut self) -> Self {
        self.old_object = None;
        self.whole = None;
        self
    }

    /// The same with `request` carrying the objects, which Kubernetes leaves out.
    #[must_use]
    pub const fn carrying_objects(mut self) -> Self {
        self.dialect = Dialect::Kyverno;
        self.whole = None;
        self
    }

    /// The request, where this is one.
    pub const fn request(&self) -> Option<&'a AdmissionRequest> {
        self.request
    }

    /// The namespace of the request.
    pub const fn namespace(&self) -> Option<&NamespaceView<'a>> {
        self.namespace.as_ref()
    }

    /// What policies that see the same request have computed of it.
    pub(super) fn memo(&self) -> Option<&Memo> {
        let whole = self.whole?;
        Some(self.memo.get_or_init(|| whole.derived(|_| Memo::default())))
    }

    /// What the name stands for; `None` where it is none of the request's.
    pub(super) fn variable(&self, name: &str) -> Option<Result<Val, EvalError>> {
        match name {
            "object" => Some(Ok(self.object.clone())),
            "oldObject" => Some(Ok(self.old_object.clone().unwrap_or_else(empty))),
            "namespaceObject" => Some(Ok(self.namespace.as_ref().map_or(Val::Null, NamespaceView::value))),
            "request" => Some(Ok(self.request_val.get_or_init(|| self.build_request()).clone())),
            _ => None,
        }
    }

    fn build_request(&self) -> Val {
        self.request.map_or(Val::Null, |request| Val::from(request_value(request, self.dialect)))
    }
}

fn empty() -> Val {
    Val::from(Value::object(Map::new()))
}

/// The request as expressions see it: what is empty is left out, and what was requested stands beside what was matched.
fn request_value(request: &AdmissionRequest, dialect: Dialect) -> Value {
    let names = |group: &Str, version: &Str, last: &str, text: &Str| {
        let mut names = Map::with_capacity(3);
        names.insert("group", group.clone());
        names.insert("version", version.clone());
        names.insert(last, text.clone());
        Value::object(names)
    };
    let kind_of = |kind: &GroupVersionKind| names(&kind.group, &kind.version, "kind", &kind.kind);
    let kind = kind_of(&request.kind);
    let resource = names(request.resource_group(), request.resource_version(), "resource", &request.resource);
    let asked = request.requested.as_deref();
    let (asked_kind, asked_resource) = asked.map_or_else(
        || (kind.clone(), resource.clone()),
        |asked| {
            let of = &asked.resource_of;
            (kind_of(&asked.kind), names(&of.group, &of.version, "resource", &asked.resource))
        },
    );
    let mut map = Map::with_capacity(16);
    map.insert("uid", request.uid.clone());
    map.insert("kind", kind);
    map.insert("resource", resource);
    map.insert("requestKind", asked_kind);
    map.insert("requestResource", asked_resource);
    let texts = [
        ("subResource", &request.sub_resource),
        ("requestSubResource", asked.map_or(&request.sub_resource, |asked| &asked.sub_resource)),
        ("name", &request.name),
        ("namespace", &request.namespace),
    ];
    for (key, text) in texts {
        if !text.is_empty() {
            map.insert(key, text.clone());
        }
    }
    map.insert("operation", request.operation.as_str());
    map.insert("userInfo", request.user.to_value());
    map.insert("dryRun", request.dry_run);
    map.insert("options", request.options.clone());
    if dialect == Dialect::Kyverno {
        map.insert("object", request.object.clone());
        map.insert("oldObject", request.old_object.clone());
    }
    Value::object(map)
}
