//! What a policy may look up beside the object before it: other objects, API calls, image data.
//!
//! Engines never reach out themselves. A checkpoint hands them a [`Lookups`]: watch caches in a server, mock files in
//! a policy test, nothing at all in CI ([`Offline`]). What cannot be answered is a [`LookupError`], which turns into
//! an error verdict, never into an empty answer. A checkpoint says of every look-up what becomes of it: the trait has no
//! defaults, and what one view leaves to another is written with [`forward_lookups!`](crate::forward_lookups).

use std::fmt;

use palisade_model::{Map, Str, Value};

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
        Self::Unavailable { what: what.to_string(), remedy: SUPPLY.into() }
    }
}

const SUPPLY: &str = "supply it with --values or a test's context";

/// What is known of a namespace.
#[derive(Clone, Debug, PartialEq)]
pub enum Namespace {
    /// Its object.
    Known(Value),
    /// There is none: nothing but its name can be said of it.
    Missing,
    /// Nobody can say at the moment: what depends on more than its name has no verdict but an error.
    Unknown(LookupError),
}

/// The label that the API server gives every namespace: its name.
pub const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// The namespace that every cluster has.
pub const DEFAULT_NAMESPACE: &str = "default";

impl Namespace {
    /// A namespace of which nothing is known but name and labels.
    pub fn with_labels(name: &str, labels: Map) -> Self {
        Self::Known(object_of(name, labels))
    }

    /// A namespace as it is made: with the label that every one has.
    pub fn named(name: &str) -> Self {
        Self::Known(Self::object_named(name))
    }

    /// The object of a namespace as it is made.
    pub fn object_named(name: &str) -> Value {
        object_of(name, Map::from_iter([(Str::from(NAME_LABEL), Value::from(name))]))
    }
}

fn object_of(name: &str, labels: Map) -> Value {
    let mut metadata = Map::new();
    metadata.insert("name", name);
    metadata.insert("labels", labels);
    let mut object = Map::new();
    object.insert("apiVersion", "v1");
    object.insert("kind", "Namespace");
    object.insert("metadata", metadata);
    object.insert("spec", Map::new());
    object.insert("status", Map::new());
    Value::object(object)
}

impl From<Result<Value, LookupError>> for Namespace {
    fn from(answer: Result<Value, LookupError>) -> Self {
        match answer {
            Ok(object) => Self::Known(object),
            Err(LookupError::NotFound(_)) => Self::Missing,
            Err(error) => Self::Unknown(error),
        }
    }
}

impl ObjectQuery {
    /// The Namespace object called `name`.
    pub fn namespace(name: &str) -> Self {
        Self { version: "v1".into(), resource: "Namespace".into(), name: name.into(), ..Self::default() }
    }
}

/// The surroundings that policies may look into.
pub trait Lookups: Send + Sync {
    /// One object.
    fn get(&self, query: &ObjectQuery) -> Result<Value, LookupError>;

    /// All objects that match, as an array in a stable order.
    fn list(&self, query: &ObjectQuery) -> Result<Vec<Value>, LookupError>;

    /// Every object that is known, as one array; the same one as long as nothing changes, so that what is made of it can
    /// be kept.
    fn objects(&self) -> Result<Value, LookupError>;

    /// The answer to an API or service call.
    fn call(&self, call: &ApiCall) -> Result<Value, LookupError>;

    /// The answer to a policy's own HTTP request, failures included: an object with `statusCode`, and with `body` or,
    /// where the body is an object, its members.
    fn http(&self, call: &ApiCall) -> Result<Value, LookupError>;

    /// A request of Rego's `http.send`, in the form and with the answer that it documents. Only a checkpoint whose
    /// configuration permits the host sends anything.
    fn send(&self, request: &Value) -> Result<Value, LookupError>;

    /// The data of a GlobalContextEntry; `projection` is empty for the entry itself.
    fn global_context(&self, name: &str, projection: &str) -> Result<Value, LookupError>;

    /// Manifest and configuration of an image: `{registry, repository, identifier, manifest, configData, ...}`.
    fn image(&self, reference: &str) -> Result<Value, LookupError>;

    /// The Namespace object called `name`.
    fn namespace(&self, name: &str) -> Namespace;
}

/// Surroundings that know nothing: every look-up is unavailable, with this remedy.
#[derive(Clone, Copy, Debug)]
pub struct Unanswered(pub &'static str);

impl Unanswered {
    fn no<T>(self, what: impl fmt::Display) -> Result<T, LookupError> {
        Err(LookupError::Unavailable { what: what.to_string(), remedy: self.0.into() })
    }
}

impl Lookups for Unanswered {
    fn get(&self, query: &ObjectQuery) -> Result<Value, LookupError> {
        self.no(format_args!("{} `{}`", query.resource, query.name))
    }

    fn list(&self, query: &ObjectQuery) -> Result<Vec<Value>, LookupError> {
        self.no(format_args!("the list of {}", query.resource))
    }

    fn objects(&self) -> Result<Value, LookupError> {
        self.no("the list of all objects")
    }

    fn call(&self, call: &ApiCall) -> Result<Value, LookupError> {
        self.no(format_args!("{} {}", call.method, call.url))
    }

    fn http(&self, call: &ApiCall) -> Result<Value, LookupError> {
        self.call(call)
    }

    fn send(&self, request: &Value) -> Result<Value, LookupError> {
        self.no(format_args!("the answer of `{}`", request.get("url").and_then(Value::as_str).unwrap_or_default()))
    }

    fn global_context(&self, name: &str, _projection: &str) -> Result<Value, LookupError> {
        self.no(format_args!("global context entry `{name}`"))
    }

    fn image(&self, reference: &str) -> Result<Value, LookupError> {
        self.no(format_args!("image data of `{reference}`"))
    }

    fn namespace(&self, name: &str) -> Namespace {
        self.get(&ObjectQuery::namespace(name)).into()
    }
}

/// Surroundings of who has no cluster at hand: every look-up says how to supply its answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offline;

impl Lookups for Offline {
    crate::forward_lookups!(|_this| Unanswered(SUPPLY); get, list, objects, call, http, global_context, image, namespace);

    fn send(&self, request: &Value) -> Result<Value, LookupError> {
        Unanswered("permit the host under [network] in palisade.toml").send(request)
    }
}

/// Inside an implementation of [`Lookups`]: the look-ups that another view answers.
///
/// ```
/// # use palisade_policy::{ApiCall, LookupError, Lookups, Namespace, ObjectQuery, forward_lookups};
/// # use palisade_model::Value;
/// struct WithoutSecrets<'a>(&'a dyn Lookups);
///
/// impl Lookups for WithoutSecrets<'_> {
///     forward_lookups!(|this| this.0; list, objects, call, http, send, global_context, image, namespace);
///
///     fn get(&self, query: &ObjectQuery) -> Result<Value, LookupError> {
///         if &*query.resource == "Secret" { Err(LookupError::offline("a secret")) } else { self.0.get(query) }
///     }
/// }
/// ```
///
/// With a second part, `=> expression`, every answer passes through the expression on its way back, which may ask for the
/// question: `|this, asked, answer| this.0 => this.note(asked(), answer)`, where `asked()` is an [`Asked`](crate::Asked).
#[macro_export]
macro_rules! forward_lookups {
    (@get |$this:ident, $asked:ident, $answer:ident| $to:expr => $pass:expr) => {
        fn get(&self, query: &$crate::ObjectQuery) -> ::std::result::Result<::palisade_model::Value, $crate::LookupError> {
            let $this = self;
            let $asked = || $crate::Asked::Get(query.clone());
            let $answer = $to.get(query);
            $pass
        }
    };
    (@list |$this:ident, $asked:ident, $answer:ident| $to:expr => $pass:expr) => {
        fn list(&self, query: &$crate::ObjectQuery) -> ::std::result::Result<::std::vec::Vec<::palisade_model::Value>, $crate::LookupError> {
            let $this = self;
            let $asked = || $crate::Asked::List(query.clone());
            let $answer = $to.list(query);
            $pass
        }
    };
    (@objects |$this:ident, $asked:ident, $answer:ident| $to:expr => $pass:expr) => {
        fn objects(&self) -> ::std::result::Result<::palisade_model::Value, $crate::LookupError> {
            let $this = self;
            let $asked = || $crate::Asked::Objects;
            let $answer = $to.objects();
            $pass
        }
    };
    (@call |$this:ident, $asked:ident, $answer:ident| $to:expr => $pass:expr) => {
        fn call(&self, call: &$crate::ApiCall) -> ::std::result::Result<::palisade_model::Value, $crate::LookupError> {
            let $this = self;
            let $asked = || $crate::Asked::Call(call.clone());
            let $answer = $to.call(call);
            $pass
        }
    };
    (@http |$this:ident, $asked:ident, $answer:ident| $to:expr => $pass:expr) => {
        fn http(&self, call: &$crate::ApiCall) -> ::std::result::Result<::palisade_model::Value, $crate::LookupError> {
            let $this = self;
            let $asked = || $crate::Asked::Http(call.clone());
            let $answer = $to.http(call);
            $pass
        }
    };
    (@send |$this:ident, $asked:ident, $answer:ident| $to:expr => $pass:expr) => {
        fn send(&self, request: &::palisade_model::Value) -> ::std::result::Result<::palisade_model::Value, $crate::LookupError> {
            let $this = self;
            let $asked = || $crate::Asked::Send(request.clone());
            let $answer = $to.send(request);
            $pass
        }
    };
    (@global_context |$this:ident, $asked:ident, $answer:ident| $to:expr => $pass:expr) => {
        fn global_context(&self, name: &str, projection: &str) -> ::std::result::Result<::palisade_model::Value, $crate::LookupError> {
            let $this = self;
            let $asked = || $crate::Asked::GlobalContext { name: name.into(), projection: projection.into() };
            let $answer = $to.global_context(name, projection);
            $pass
        }
    };
    (@image |$this:ident, $asked:ident, $answer:ident| $to:expr => $pass:expr) => {
        fn image(&self, reference: &str) -> ::std::result::Result<::palisade_model::Value, $crate::LookupError> {
            let $this = self;
            let $asked = || $crate::Asked::Image(reference.into());
            let $answer = $to.image(reference);
            $pass
        }
    };
    (@namespace |$this:ident, $asked:ident, $answer:ident| $to:expr => $pass:expr) => {
        fn namespace(&self, name: &str) -> $crate::Namespace {
            let $this = self;
            let $asked = || $crate::Asked::Namespace(name.into());
            let $answer = $to.namespace(name);
            $pass
        }
    };
    (|$this:ident| $to:expr; $($name:ident),+) => {
        $($crate::forward_lookups!(@$name |$this, _asked, answer| $to => answer);)+
    };
    (|$this:ident, $asked:ident, $answer:ident| $to:expr => $pass:expr; $($name:ident),+) => {
        $($crate::forward_lookups!(@$name |$this, $asked, $answer| $to => $pass);)+
    };
}
