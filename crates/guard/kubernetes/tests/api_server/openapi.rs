//! The kinds that an API server publishes, with their types.

use std::collections::BTreeMap;

use palisade_testkit::Cluster;
use serde_json::Value;

/// Kinds that no manifest brings, and those whose controllers inside the API server fall over what nobody validated.
const LEFT_OUT: &[&str] = &[
    "APIService",
    "Binding",
    "ControllerRevision",
    "CustomResourceDefinition",
    "Event",
    "FlowSchema",
    "LocalSubjectAccessReview",
    "PriorityLevelConfiguration",
    "ResourceSlice",
    "SelfSubjectAccessReview",
    "SelfSubjectReview",
    "SelfSubjectRulesReview",
    "SubjectAccessReview",
    "TokenReview",
];

/// Where the database keeps what it does not keep under the name of the resource.
const KEYS: &[(&str, &str)] = &[
    ("nodes", "minions"),
    ("endpoints", "services/endpoints"),
    ("services", "services/specs"),
    ("replicationcontrollers", "controllers"),
    ("ingresses", "ingress"),
];

/// A kind of object.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "as Kubernetes calls it")]
pub(crate) struct Kind {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    /// Its type.
    pub(crate) of: String,
    /// Where its objects are listed.
    pub(crate) path: String,
    /// Where the database keeps them.
    pub(crate) key: String,
}

/// What a field holds.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Text,
    Int,
    Number,
    Bool,
    Quantity,
    IntOrString,
    Any,
    Of(String),
    List(Box<Shape>),
    Map(Box<Shape>),
}

/// A field of a type.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
    /// What is published as its default.
    pub(crate) published: Value,
    /// The values that a text may have.
    pub(crate) values: Vec<Value>,
    /// The format of a text.
    pub(crate) format: String,
}

/// Everything that is published in stable versions.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    pub(crate) kinds: Vec<Kind>,
    types: BTreeMap<String, Value>,
}

impl Schemas {
    pub(crate) fn of(cluster: &Cluster) -> Self {
        let index = cluster.kubectl(&["get", "--raw", "/openapi/v3"], "").json();
        let mut schemas = Self::default();
        for (path, entry) in index["paths"].as_object().unwrap() {
            let version = path.rsplit('/').next().unwrap();
            let stable = version.starts_with('v') && version[1..].chars().all(|c| c.is_ascii_digit());
            if (path == "api/v1" || (path.starts_with("apis/") && path.matches('/').count() == 2)) && stable {
                let address = entry["serverRelativeURL"].as_str().unwrap();
                schemas.take(&cluster.kubectl(&["get", "--raw", address], "").json());
            }
        }
        schemas.kinds.sort_by(|a, b| (&a.api_version, &a.kind).cmp(&(&b.api_version, &b.kind)));
        schemas
    }

    fn take(&mut self, document: &Value) {
        let types = document["components"]["schemas"].as_object().unwrap();
        self.types.extend(types.iter().map(|(name, schema)| (name.clone(), schema.clone())));
        for (path, operations) in document["paths"].as_object().unwrap() {
            let id = &operations["post"]["x-kubernetes-group-version-kind"];
            let Some(kind) = id["kind"].as_str().filter(|kind| !LEFT_OUT.contains(kind)) else { continue };
            if path.replace("{namespace}", "").contains('{') {
                continue;
            }
            let (group, version) = (id["group"].as_str().unwrap(), id["version"].as_str().unwrap());
            let ids = |schema: &Value| {
                let mut ids = schema["x-kubernetes-group-version-kind"].as_array().into_iter().flatten();
                ids.any(|other| other == id)
            };
            let of = types.iter().find(|(_, schema)| ids(schema)).unwrap().0.clone();
            let plural = path.rsplit('/').next().unwrap();
            let key = KEYS.iter().find(|(resource, _)| *resource == plural).map_or(plural, |(_, key)| key);
            let namespace = if path.contains("{namespace}") { "probe/" } else { "" };
            self.kinds.push(Kind {
                api_version: if group.is_empty() { version.into() } else { format!("{group}/{version}") },
                kind: kind.into(),
                of,
                path: path.replace("{namespace}", "probe"),
                key: format!("/registry/{key}/{namespace}"),
            });
        }
    }

    /// The fields of a type in order of their names; none where it is no object with known fields.
    pub(crate) fn fields(&self, of: &str) -> Vec<Field> {
        let schema = &self.types[of];
        let required = |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name));
        let properties = schema["properties"].as_object().into_iter().flatten();
        let mut fields: Vec<Field> = properties
            .map(|(name, field)| Field {
                name: name.clone(),
                shape: self.shape(field),
                required: required(name),
                published: field["default"].clone(),
                values: field["enum"].as_array().cloned().unwrap_or_default(),
                format: field["format"].as_str().unwrap_or_default().into(),
            })
            .collect();
        fields.sort_by(|a, b| a.name.cmp(&b.name));
        fields
    }

    fn shape(&self, schema: &Value) -> Shape {
        let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
        if let Some(name) = reference.and_then(|reference| reference.rsplit('/').next()) {
            return match name.rsplit('.').next().unwrap() {
                "Quantity" => Shape::Quantity,
                "IntOrString" => Shape::IntOrString,
                _ if self.types[name]["properties"].is_object() => Shape::Of(name.into()),
                _ => Shape::Any,
            };
        }
        match schema["type"].as_str() {
            Some("string") => Shape::Text,
            Some("integer") => Shape::Int,
            Some("number") => Shape::Number,
            Some("boolean") => Shape::Bool,
            Some("array") => Shape::List(Box::new(self.shape(&schema["items"]))),
            Some("object") if schema["additionalProperties"].is_object() => {
                Shape::Map(Box::new(self.shape(&schema["additionalProperties"])))
            }
            _ => Shape::Any,
        }
    }
}
