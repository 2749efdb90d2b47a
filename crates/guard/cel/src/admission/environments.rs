//! The environments that the expressions of CEL policies are compiled in.

use std::collections::HashMap;
use std::sync::LazyLock;

use palisade_model::Str;

use super::subject::Dialect;
use crate::library::{kubernetes, kyverno, standard};
use crate::{Env, EnvBuilder, Library, ObjectType, Type};

/// What expressions are for, which decides what they may use beside the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Judging.
    Validation,
    /// Changing the object: `Object{...}` and `JSONPatch{...}`.
    Mutation,
    /// Creating objects: `generator`, and literals that mix types as resources do.
    Generation,
    /// Judging images: `images`, `attestors`, `attestations` and the functions that verify signatures.
    Images,
}

const PURPOSES: [Purpose; 4] = [Purpose::Validation, Purpose::Mutation, Purpose::Generation, Purpose::Images];

/// The environment of a dialect's policies: libraries, `object`, `oldObject`, `request`, `namespaceObject`.
pub fn environment(dialect: Dialect, purpose: Purpose) -> Env {
    // Built once: the libraries are large and never change.
    static KUBERNETES: LazyLock<Env> = LazyLock::new(kubernetes_environment);
    static KYVERNO: LazyLock<[Env; 4]> = LazyLock::new(|| PURPOSES.map(|purpose| kyverno_environment(purpose, None)));
    let [validation, mutation, generation, images] = &*KYVERNO;
    match (dialect, purpose) {
        (Dialect::Kubernetes, _) => KUBERNETES.clone(),
        (Dialect::Kyverno, Purpose::Validation) => validation.clone(),
        (Dialect::Kyverno, Purpose::Mutation) => mutation.clone(),
        (Dialect::Kyverno, Purpose::Generation) => generation.clone(),
        (Dialect::Kyverno, Purpose::Images) => images.clone(),
    }
}

/// The environment of a Kyverno policy that is confined to a namespace: its look-ups do not name one.
pub fn namespaced_environment(purpose: Purpose, namespace: &Str) -> Env {
    kyverno_environment(purpose, Some(namespace))
}

fn kubernetes_environment() -> Env {
    let builder = Env::builder().libraries(standard::extensions()).libraries(kubernetes::libraries());
    with_request(builder, Dialect::Kubernetes)
}

fn kyverno_environment(purpose: Purpose, namespace: Option<&Str>) -> Env {
    let own = match namespace {
        Some(namespace) => kyverno::namespaced_libraries(namespace.clone()),
        None => kyverno::libraries(),
    };
    let builder = Env::builder()
        .libraries(standard::extensions())
        .libraries(kubernetes::base_libraries())
        .libraries(own)
        .libraries(purpose_libraries(purpose, namespace.is_some()))
        .object_type(kyverno::exceptions::object_type())
        .variable("exceptions", kyverno::exceptions::exceptions_type());
    let builder = match purpose {
        Purpose::Validation | Purpose::Mutation => builder,
        Purpose::Generation => builder.variable("generator", kyverno::generator::generator_type()),
        Purpose::Images => builder
            .variable("images", Type::map(Type::String, Type::list(Type::String)))
            .variable("attestors", Type::map(Type::String, Type::Dyn))
            .variable("attestations", Type::map(Type::String, Type::String)),
    };
    let env = with_request(builder, Dialect::Kyverno);
    if purpose == Purpose::Generation { env.extend().homogeneous_aggregates(false).build() } else { env }
}

fn purpose_libraries(purpose: Purpose, namespaced: bool) -> Vec<Library> {
    match purpose {
        Purpose::Validation => vec![kyverno::or_value_library()],
        Purpose::Mutation => {
            let mut libraries = kubernetes::mutation_libraries();
            libraries.push(kyverno::or_value_library());
            libraries
        }
        Purpose::Generation if namespaced => {
            vec![kyverno::or_value_library(), kyverno::generator::namespaced_library()]
        }
        Purpose::Generation => vec![kyverno::or_value_library(), kyverno::generator::library()],
        Purpose::Images => vec![kyverno::verification_library()],
    }
}

const REQUEST: &str = "kubernetes.AdmissionRequest";

fn with_request(builder: EnvBuilder, dialect: Dialect) -> Env {
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
    .variable("object", Type::Dyn)
    .variable("oldObject", Type::Dyn)
    .variable("request", Type::object(REQUEST))
    .variable("namespaceObject", Type::object("kubernetes.Namespace"))
    .homogeneous_aggregates(true)
    .build()
}

fn object_type(name: &str, fields: Vec<(&str, Type)>) -> ObjectType {
    let fields: HashMap<Str, Type> = fields.into_iter().map(|(name, of)| (name.into(), of)).collect();
    ObjectType { name: name.into(), fields }
}
