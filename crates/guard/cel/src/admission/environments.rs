//! The environments that the expressions of CEL policies are compiled in.

use std::collections::HashMap;
use std::sync::LazyLock;

use palisade_model::Str;

use super::subject::Dialect;
use crate::library::{kubernetes, kyverno, standard};
use crate::{Env, EnvBuilder, ObjectType, Type};

/// What an environment knows beside the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Judging.
    Validation,
    /// Changing the object: `Object{...}` and `JSONPatch{...}` exist for sure.
    Mutation,
    /// Creating objects: literals may mix types, as resources do.
    Generation,
}

/// The environment of a dialect's policies: libraries, `object`, `oldObject`, `request`, `namespaceObject`.
pub fn environment(dialect: Dialect, purpose: Purpose) -> Env {
    // Built once: the libraries are large and never change.
    static ENVIRONMENTS: LazyLock<[[Env; 2]; 2]> = LazyLock::new(|| {
        [Dialect::Kubernetes, Dialect::Kyverno].map(|dialect| {
            let judging = build(dialect);
            let mutating = match dialect {
                Dialect::Kubernetes => judging.clone(),
                Dialect::Kyverno => judging.extend().libraries(kubernetes::mutation_libraries()).build(),
            };
            [judging, mutating]
        })
    });
    let [kubernetes, kyverno] = &*ENVIRONMENTS;
    let [judging, mutating] = match dialect {
        Dialect::Kubernetes => kubernetes,
        Dialect::Kyverno => kyverno,
    };
    match purpose {
        Purpose::Validation => judging.clone(),
        Purpose::Mutation => mutating.clone(),
        Purpose::Generation => judging.extend().homogeneous_aggregates(false).build(),
    }
}

fn build(dialect: Dialect) -> Env {
    let mut libraries = standard::extensions();
    match dialect {
        Dialect::Kubernetes => libraries.extend(kubernetes::libraries()),
        Dialect::Kyverno => {
            libraries.extend(kubernetes::base_libraries());
            libraries.extend(kyverno::libraries());
        }
    }
    let builder = Env::builder().libraries(libraries).homogeneous_aggregates(true);
    with_request(builder, dialect)
        .variable("object", Type::Dyn)
        .variable("oldObject", Type::Dyn)
        .variable("request", Type::object(REQUEST))
        .variable("namespaceObject", Type::object("kubernetes.Namespace"))
        .build()
}

const REQUEST: &str = "kubernetes.AdmissionRequest";

fn with_request(builder: EnvBuilder, dialect: Dialect) -> EnvBuilder {
    let texts = || Type::map(Type::String, Type::String);
    let mut request = vec![
        ("uid", Type::String),
        ("kind", Type::object("kubernetes.GroupVersionKind")),
        ("resource", Type::object("kubernetes.GroupVersionResource")),
        ("requestKind", Type::object("kubernetes.GroupVersionKind")),
        ("requestResource", Type::object("kubernetes.GroupVersionResource")),
        ("subResource", Type::String),
        ("requestSubResource", Type::String),
        ("name", Type::String),
        ("namespace", Type::String),
        ("operation", Type::String),
        ("userInfo", Type::object("kubernetes.UserInfo")),
        ("dryRun", Type::Bool),
        ("options", Type::Dyn),
    ];
    if dialect == Dialect::Kyverno {
        request.extend([("object", Type::Dyn), ("oldObject", Type::Dyn)]);
    }
    let version = |last| vec![("group", Type::String), ("version", Type::String), (last, Type::String)];
    let user = vec![
        ("username", Type::String),
        ("uid", Type::String),
        ("groups", Type::list(Type::String)),
        ("extra", Type::map(Type::String, Type::list(Type::String))),
    ];
    let metadata = vec![
        ("name", Type::String),
        ("generateName", Type::String),
        ("namespace", Type::String),
        ("labels", texts()),
        ("annotations", texts()),
        ("uid", Type::String),
        ("resourceVersion", Type::String),
        ("generation", Type::Int),
        ("creationTimestamp", Type::Timestamp),
        ("deletionTimestamp", Type::Timestamp),
        ("deletionGracePeriodSeconds", Type::Int),
        ("finalizers", Type::list(Type::String)),
    ];
    let namespace = vec![
        ("metadata", Type::object("kubernetes.NamespaceMetadata")),
        ("spec", Type::object("kubernetes.NamespaceSpec")),
        ("status", Type::object("kubernetes.NamespaceStatus")),
    ];
    [
        (REQUEST, request),
        ("kubernetes.GroupVersionKind", version("kind")),
        ("kubernetes.GroupVersionResource", version("resource")),
        ("kubernetes.UserInfo", user),
        ("kubernetes.Namespace", namespace),
        ("kubernetes.NamespaceMetadata", metadata),
        ("kubernetes.NamespaceSpec", vec![("finalizers", Type::list(Type::String))]),
        ("kubernetes.NamespaceStatus", vec![("phase", Type::String)]),
    ]
    .into_iter()
    .fold(builder, |builder, (name, fields)| builder.object_type(object_type(name, fields)))
}

fn object_type(name: &str, fields: Vec<(&str, Type)>) -> ObjectType {
    let fields: HashMap<Str, Type> = fields.into_iter().map(|(name, of)| (name.into(), of)).collect();
    ObjectType { name: name.into(), fields }
}
