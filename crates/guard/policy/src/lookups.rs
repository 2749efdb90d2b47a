//! What a policy may look up beside the object before it: other objects, API calls, image data.
//!
//! Engines never reach out themselves. A checkpoint hands them a [`Lookups`]: watch caches in a server, mock files in
//! a policy test, nothing at all in CI ([`Offline`]). What cannot be answered is a [`LookupError`], which turns into
//! an error verdict, never into an empty answer.

use std::fmt;

use palisade_model::{Str, Value};

/// Which objects are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ObjectQuery {
    /// API group, empty for core; `*` for any.
    pub group: Str,
    /// API version; `*` for any.
    pub version: Str,
    /// Kind (`ConfigMap`) or plural resource name (`configmaps`).
    pub resource: Str,
    /// Namespace; empty for cluster-scoped objects, or all namespaces when listing.
    pub namespace: Str,
    /// Name; empty when listing.
    pub name: Str,
}

/// A call to the Kubernetes API server or to a service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiCall {
    /// `GET` or `POST`.
    pub method: Str,
    /// A path on the API server (`/api/v1/namespaces`), or a whole address.
    pub url: Str,
    /// Body of a POST, `null` otherwise.
    pub body: Value,
}

/// Why a look-up has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// The object does not exist.
    #[error("{0} not found")]
    NotFound(String),
    /// This checkpoint has no way to ask.
    #[error("{what} is not available here: {remedy}")]
    Unavailable {
        /// What was asked for.
        what: String,
        /// How to supply it.
        remedy: String,
    },
    /// The other side answered with an error.
    #[error("{0}")]
    Failed(String),
}

impl LookupError {
    /// An answer that only a live system or a mock can give.
    pub fn offline(what: impl fmt::Display) -> Self {
        Self::Unavailable { what: what.to_string(), remedy: "supply it with --values or a test's context".into() }
    }
}

/// The surroundings that policies may look into. What an implementation leaves out is unavailable.
pub trait Lookups: Send + Sync {
    /// One object.
    fn get(&self, query: &ObjectQuery) -> Result<Value, LookupError> {
        Err(LookupError::offline(format_args!("{} `{}`", query.resource, query.name)))
    }

    /// All objects that match, as an array in a stable order.
    fn list(&self, query: &ObjectQuery) -> Result<Vec<Value>, LookupError> {
        Err(LookupError::offline(format_args!("the list of {}", query.resource)))
    }

    /// Every object that is known, as one array; the same one as long as nothing changes, so that what is made of it can
    /// be kept.
    fn objects(&self) -> Result<Value, LookupError> {
        Err(LookupError::offline("the list of all objects"))
    }

    /// The answer to an API or service call.
    fn call(&self, call: &ApiCall) -> Result<Value, LookupError> {
        Err(LookupError::offline(format_args!("{} {}", call.method, call.url)))
    }

    /// The answer to a policy's own HTTP request, failures included: an object with `statusCode`, and with `body` or,
    /// where the body is an object, its members.
    fn http(&self, call: &ApiCall) -> Result<Value, LookupError> {
        self.call(call)
    }

    /// A request of Rego's `http.send`, in the form and with the answer that it documents. Only a checkpoint whose
    /// configuration permits the host sends anything.
    fn send(&self, request: &Value) -> Result<Value, LookupError> {
        let url = request.get("url").and_then(Value::as_str).unwrap_or_default();
        Err(LookupError::Unavailable {
            what: format!("the answer of `{url}`"),
            remedy: "permit the host under [network] in palisade.toml".into(),
        })
    }

    /// The data of a GlobalContextEntry; `projection` is empty for the entry itself.
    fn global_context(&self, name: &str, _projection: &str) -> Result<Value, LookupError> {
        Err(LookupError::offline(format_args!("global context entry `{name}`")))
    }

    /// Manifest and configuration of an image: `{registry, repository, identifier, manifest, configData, ...}`.
    fn image(&self, reference: &str) -> Result<Value, LookupError> {
        Err(LookupError::offline(format_args!("image data of `{reference}`")))
    }

    /// The Namespace object called `name`.
    fn namespace(&self, name: &str) -> Result<Value, LookupError> {
        self.get(&ObjectQuery {
            version: "v1".into(),
            resource: "Namespace".into(),
            name: name.into(),
            ..ObjectQuery::default()
        })
    }
}

/// Surroundings that know nothing: every look-up says that it is unavailable.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offline;

impl Lookups for Offline {}
