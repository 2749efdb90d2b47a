//! An AdmissionReview (`admission.k8s.io/v1`) as the API server sends it, read into a request.
//!
//! Deliberately absent: `v1beta1`, which no supported API server speaks any more.

use palisade_model::{GroupVersionKind, Map, Resource, Str, Value};
use palisade_policy::{AdmissionRequest, FailurePolicy, GroupVersion, Requested, UserInfo, digest};

use crate::json;

/// How much a review may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes; an API server sends no more than 3 MiB for an object, twice for an update.
    pub bytes: usize,
    /// Levels of nested objects and arrays.
    pub depth: usize,
    /// Values altogether.
    pub values: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 8 << 20, depth: 128, values: 1 << 20 }
    }
}

/// A review that was read.
#[derive(Clone, Debug, Default)]
pub struct Review {
    /// The request, without `roles` and `clusterRoles`, which a review does not carry (see [`crate::roles_of`]).
    pub request: AdmissionRequest,
    /// SHA-256 of the review, in hexadecimal.
    pub digest: Str,
    /// Only policies with this failure policy are asked; all where none is named. An API server keeps one failure policy
    /// for each webhook, so that a registration offers a request to both kinds apart.
    pub asked: Option<FailurePolicy>,
}

/// Why a review could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the AdmissionReview cannot be read: {trouble}")]
pub struct ReviewError {
    /// The identifier of the request, for the answer; empty where it could not be read.
    pub uid: Str,
    /// What is wrong.
    pub trouble: Trouble,
}

/// What is wrong with a review.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// There is too much of it.
    #[error("{0}")]
    Limit(String),
    /// It is no JSON.
    #[error("{message} at line {line}, column {column}")]
    Syntax {
        /// What was met.
        message: String,
        /// Line, counted from 1.
        line: usize,
        /// Byte within the line, counted from 1.
        column: usize,
    },
    /// It is JSON, and no review.
    #[error("`{field}` {message}")]
    Field {
        /// The member, such as `request.operation`.
        field: String,
        /// What is wrong with it.
        message: String,
    },
}

impl Review {
    /// Reads the bytes of a review.
    ///
    /// # Errors
    /// Says what is wrong and where, with the identifier of the request wherever that could be read.
    pub fn read(bytes: &[u8], limits: &Limits) -> Result<Self, ReviewError> {
        let mut uid = Str::default();
        Self::try_read(bytes, limits, &mut uid).map_err(|trouble| ReviewError { uid, trouble })
    }

    /// The request of a review that somebody wrote to a file, of any version: what it leaves out of kind, resource, name and
    /// namespace, the object says.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn written(review: &Value) -> Result<AdmissionRequest, Trouble> {
        let mut request = request(members_of(review)?)?;
        let subject = Resource::in_memory(request.subject().clone());
        let from = AdmissionRequest::of(&subject, request.operation);
        if request.kind.kind.is_empty() {
            request.kind = from.kind;
        }
        for (own, said) in [
            (&mut request.resource, from.resource),
            (&mut request.namespace, from.namespace),
            (&mut request.name, from.name),
        ] {
            if own.is_empty() {
                *own = said;
            }
        }
        Ok(request)
    }

    fn try_read(bytes: &[u8], limits: &Limits, uid: &mut Str) -> Result<Self, Trouble> {
        let whole = bytes.get(..limits.bytes).unwrap_or(bytes);
        let (text, invalid) = match std::str::from_utf8(whole) {
            Ok(text) => (text, None),
            Err(error) => {
                let valid = whole.get(..error.valid_up_to()).unwrap_or_default();
                (std::str::from_utf8(valid).unwrap_or_default(), Some(error.valid_up_to()))
            }
        };
        // What is too long or no text is read as far as it goes, for the identifier.
        let value = json::read(text, limits, uid);
        if bytes.len() > limits.bytes {
            return Err(Trouble::Limit(format!("it has {} bytes, more than {}", bytes.len(), limits.bytes)));
        }
        if let Some(at) = invalid {
            return Err(json::trouble_at(bytes, at, "it is not UTF-8"));
        }
        let value = value?;
        check_version(&value)?;
        let request = request(members_of(&value)?)?;
        if request.uid.is_empty() {
            return Err(field("request.uid", "is missing"));
        }
        if request.kind.kind.is_empty() {
            return Err(field("request.kind", "is missing"));
        }
        Ok(Self { request, digest: digest(text), asked: None })
    }
}

fn field(name: &str, message: impl Into<String>) -> Trouble {
    Trouble::Field { field: name.to_owned(), message: message.into() }
}

fn members_of(review: &Value) -> Result<&Map, Trouble> {
    match review.get("request") {
        Some(Value::Object(request)) => Ok(request),
        _ => Err(field("request", "is missing")),
    }
}

fn check_version(review: &Value) -> Result<(), Trouble> {
    match review.get("kind").and_then(Value::as_str) {
        Some("AdmissionReview") => {}
        Some(other) => return Err(field("kind", format!("is `{other}`, not `AdmissionReview`"))),
        None => return Err(field("kind", "is missing: expected an AdmissionReview")),
    }
    match review.get("apiVersion").and_then(Value::as_str) {
        Some("admission.k8s.io/v1") => Ok(()),
        Some(other) => {
            let message = "not `admission.k8s.io/v1`: list only `v1` in the webhook's `admissionReviewVersions`";
            Err(field("apiVersion", format!("is `{other}`, {message}")))
        }
        None => Err(field("apiVersion", "is missing")),
    }
}

/// The members of `request`; those that are not known are passed over, as newer API servers may send some.
fn request(map: &Map) -> Result<AdmissionRequest, Trouble> {
    let operation = text(map, "operation")?;
    let Ok(operation) = operation.parse() else {
        return Err(field(
            "request.operation",
            format!("is `{operation}`: expected CREATE, UPDATE, DELETE or CONNECT"),
        ));
    };
    let (uid, kind) = (text(map, "uid")?, kind(map, "kind")?);
    let (resource_of, resource) = resource(map, "resource")?;
    let (object, old_object) = (object(map, "object")?, object(map, "oldObject")?);
    let mut request = AdmissionRequest {
        uid,
        operation,
        resource,
        sub_resource: text(map, "subResource")?,
        namespace: text(map, "namespace")?,
        name: text(map, "name")?,
        options: self::object(map, "options")?,
        dry_run: flag(map, "dryRun")?,
        user: user(map)?,
        requested: requested(map)?,
        resource_of: (resource_of.group != kind.group || resource_of.version != kind.version).then_some(resource_of),
        kind,
        object,
        old_object,
        roles: Vec::new(),
        cluster_roles: Vec::new(),
    };
    if request.name.is_empty() {
        request.name = generated_name(&request.object);
    }
    Ok(request)
}

/// An object that is created may have no name yet; then what it begins with stands for it.
fn generated_name(object: &Value) -> Str {
    let text = |key| object.dig(["metadata", key]).and_then(Value::as_shared_str).filter(|text| !text.is_empty());
    text("name").or_else(|| text("generateName")).cloned().unwrap_or_default()
}

/// What the client asked for, where it is something else than what the policies are asked about.
fn requested(map: &Map) -> Result<Option<Box<Requested>>, Trouble> {
    let same = |asked: &str, converted: &str| map.get(asked).is_none_or(|value| map.get(converted) == Some(value));
    if same("requestKind", "kind") && same("requestResource", "resource") && same("requestSubResource", "subResource") {
        return Ok(None);
    }
    let (resource_of, resource) = resource(map, "requestResource")?;
    let sub_resource = text(map, "requestSubResource")?;
    Ok(Some(Box::new(Requested { kind: kind(map, "requestKind")?, resource_of, resource, sub_resource })))
}

fn user(map: &Map) -> Result<UserInfo, Trouble> {
    let Some(user) = members(map, "userInfo")? else { return Ok(UserInfo::default()) };
    let groups = match user.get("groups") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(groups)) => groups.iter().filter_map(|group| group.as_shared_str().cloned()).collect(),
        Some(other) => return Err(field("request.userInfo.groups", format!("is no array but {}", other.type_name()))),
    };
    let extra = members(user, "extra")?.cloned().unwrap_or_default();
    Ok(UserInfo { username: text(user, "username")?, uid: text(user, "uid")?, groups, extra })
}

fn kind(map: &Map, key: &str) -> Result<GroupVersionKind, Trouble> {
    let Some(names) = members(map, key)? else { return Ok(GroupVersionKind::default()) };
    Ok(GroupVersionKind { group: text(names, "group")?, version: text(names, "version")?, kind: text(names, "kind")? })
}

fn resource(map: &Map, key: &str) -> Result<(GroupVersion, Str), Trouble> {
    let Some(names) = members(map, key)? else { return Ok(Default::default()) };
    let of = GroupVersion { group: text(names, "group")?, version: text(names, "version")? };
    Ok((of, text(names, "resource")?))
}

fn wrong(key: &str, wanted: &str, found: &Value) -> Trouble {
    field(&format!("request.{key}"), format!("is no {wanted} but {}", found.type_name()))
}

/// Text; empty where it is absent.
fn text(map: &Map, key: &str) -> Result<Str, Trouble> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(Str::default()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => Err(wrong(key, "text", other)),
    }
}

fn flag(map: &Map, key: &str) -> Result<bool, Trouble> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(other) => Err(wrong(key, "boolean", other)),
    }
}

/// An object of the API, or null.
fn object(map: &Map, key: &str) -> Result<Value, Trouble> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(Value::Null),
        Some(object @ Value::Object(_)) => Ok(object.clone()),
        Some(other) => Err(wrong(key, "object", other)),
    }
}

fn members<'m>(map: &'m Map, key: &str) -> Result<Option<&'m Map>, Trouble> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) => Ok(Some(map)),
        Some(other) => Err(wrong(key, "object", other)),
    }
}
