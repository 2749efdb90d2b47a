//! Removing one object, only as it was when it was judged.

use std::time::Duration;

use http::Request;
use http::header::CONTENT_TYPE;
use palisade_model::{Value, json};

use crate::{Connection, Kind, KubeError};

/// The longest that a removal may take.
const LIMIT: Duration = Duration::from_secs(30);

/// An object that is to be removed.
pub(crate) struct Removal<'a> {
    pub(crate) kind: &'a Kind,
    /// The object as it was judged.
    pub(crate) object: &'a Value,
    /// How its dependents are treated; as the kind does by default where nothing is said.
    pub(crate) propagation: Option<&'a str>,
}

impl Removal<'_> {
    /// Asks the API server to remove the object. A conflict means that it is not as it was judged any more.
    pub(crate) async fn carry_out(&self, connection: &Connection) -> Result<(), KubeError> {
        let text = |key| self.object.dig(["metadata", key]).and_then(Value::as_str).unwrap_or_default();
        let path = self.kind.path(text("namespace"), text("name"));
        let operation = || format!("DELETE `{path}`");
        let unusable = |reason: String| KubeError::Answer { operation: operation(), reason };
        let (uid, version) = (text("uid"), text("resourceVersion"));
        if uid.is_empty() || version.is_empty() {
            return Err(unusable("the object has no uid or resourceVersion to hold on to".into()));
        }
        let mut options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": uid, "resourceVersion": version}
        });
        if let (Some(propagation), Some(options)) = (self.propagation, options.as_object_mut()) {
            options.insert("propagationPolicy", propagation);
        }
        let request = Request::delete(&path).header(CONTENT_TYPE, "application/json");
        let request = request.body(options.to_json().into_bytes()).map_err(|error| unusable(error.to_string()))?;
        let answer = tokio::time::timeout(LIMIT, connection.client.request::<Value>(request)).await;
        let answer = answer.map_err(|_| KubeError::Unreachable {
            server: connection.server().into(),
            operation: operation(),
            reason: format!("no answer within {} seconds", LIMIT.as_secs()),
        })?;
        answer.map(drop).map_err(|error| KubeError::of(error, connection.server(), operation()))
    }
}
