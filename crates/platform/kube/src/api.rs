//! The requests of the Kubernetes API that Palisade makes, in terms of our own `Value`.
//!
//! Objects are read from the answer into the tree that policies judge, with no form in between. Every request has a time
//! limit, every answer a size limit. Deliberately absent: retries beyond the client's own for a busy server; callers know
//! what may be repeated.

use std::time::Duration;

use futures_util::{AsyncReadExt, Stream};
use http::{Method, Request};
use kube::core::WatchEvent;
use palisade_model::Value;

use crate::{Connection, KubeError};

/// Who we are in `managedFields`.
pub const FIELD_MANAGER: &str = "palisade";

/// The longest that a request may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);

/// The largest answer that is read, in bytes.
const ANSWER_LIMIT: u64 = 256 << 20;

/// How many objects a page of a list holds.
const PAGE: u32 = 500;

/// A page of a list.
#[derive(Debug)]
pub(crate) struct Page {
    /// The objects, with `apiVersion` and `kind` only where the server wrote them.
    pub(crate) items: Vec<Value>,
    /// From where to go on; none after the last page.
    pub(crate) next: Option<String>,
    /// From where to watch.
    pub(crate) resource_version: String,
}

impl Connection {
    /// Reads what is at `path`, such as `/api/v1/namespaces/shop`.
    pub async fn get(&self, path: &str) -> Result<Value, KubeError> {
        self.send(Method::GET, path, None, "").await
    }

    /// Creates `object` in the collection at `path`, or posts it to a review.
    pub async fn create(&self, path: &str, object: &Value) -> Result<Value, KubeError> {
        self.send(Method::POST, &with_manager(path), Some(object), "application/json").await
    }

    /// Replaces the object at `path`; refused as a conflict where its `resourceVersion` is no longer the newest.
    pub async fn replace(&self, path: &str, object: &Value) -> Result<Value, KubeError> {
        self.send(Method::PUT, &with_manager(path), Some(object), "application/json").await
    }

    /// Server-side apply: makes the fields of `object` ours at `path`. Without `force`, a field that another manager owns
    /// with another value is a conflict.
    pub async fn apply(&self, path: &str, object: &Value, force: bool) -> Result<Value, KubeError> {
        let path = format!("{}&force={force}", with_manager(path));
        self.send(Method::PATCH, &path, Some(object), "application/apply-patch+yaml").await
    }

    /// Merges `patch` into the object at `path`.
    pub async fn merge(&self, path: &str, patch: &Value) -> Result<Value, KubeError> {
        self.send(Method::PATCH, &with_manager(path), Some(patch), "application/merge-patch+json").await
    }

    /// Deletes the object at `path`, with what it owns, in the background. `uid` keeps a younger object of the same name
    /// from being deleted.
    pub async fn delete(&self, path: &str, uid: Option<&str>) -> Result<Value, KubeError> {
        let mut options =
            serde_json::json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"});
        if let (Some(uid), Some(options)) = (uid, options.as_object_mut()) {
            options.insert("preconditions".into(), serde_json::json!({"uid": uid}));
        }
        let options = value(&options);
        self.send(Method::DELETE, path, Some(&options), "application/json").await
    }

    /// All objects of the collection at `path`, page by page.
    pub async fn list(&self, path: &str) -> Result<Vec<Value>, KubeError> {
        let mut items = Vec::new();
        let mut next = None;
        loop {
            let page = self.page(path, next.as_deref()).await?;
            items.extend(page.items);
            next = page.next;
            if next.is_none() {
                return Ok(items);
            }
        }
    }

    /// A page of the collection at `path`.
    pub(crate) async fn page(&self, path: &str, next: Option<&str>) -> Result<Page, KubeError> {
        let mut query = format!("{path}?limit={PAGE}");
        if let Some(next) = next {
            query.push_str("&continue=");
            query.push_str(&escaped(next));
        }
        let list = self.get(&query).await?;
        let text = |key: &str| list.dig(["metadata", key]).and_then(Value::as_str).unwrap_or_default().to_owned();
        let next = Some(text("continue")).filter(|next| !next.is_empty());
        let items = list.get("items").and_then(Value::as_array).unwrap_or_default().to_vec();
        Ok(Page { items, next, resource_version: text("resourceVersion") })
    }

    /// Changes of the collection at `path` since `resource_version`, with bookmarks, for a little under five minutes.
    pub(crate) async fn watch(
        &self,
        path: &str,
        resource_version: &str,
    ) -> Result<impl Stream<Item = Result<WatchEvent<Value>, kube::Error>> + use<>, KubeError> {
        let version = escaped(resource_version);
        let path = format!("{path}?watch=true&allowWatchBookmarks=true&timeoutSeconds=290&resourceVersion={version}");
        let operation = format!("a watch of `{path}`");
        let request = request(&Method::GET, &path, None, "")?;
        let events = tokio::time::timeout(REQUEST_LIMIT, self.client.request_events(request));
        events
            .await
            .map_err(|_| self.silent(&operation))?
            .map_err(|error| KubeError::of(error, self.server(), operation))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        content_type: &str,
    ) -> Result<Value, KubeError> {
        let request = request(&method, path, body, content_type)?;
        let operation = format!("{method} `{}`", path.split('?').next().unwrap_or(path));
        let answer = async {
            let stream = self.client.request_stream(request).await;
            let stream = stream.map_err(|error| KubeError::of(error, self.server(), operation.clone()))?;
            let mut bytes = Vec::new();
            let read = std::pin::pin!(stream).take(ANSWER_LIMIT).read_to_end(&mut bytes).await;
            read.map_err(|error| KubeError::Unreachable {
                server: self.server().into(),
                operation: operation.clone(),
                reason: error.to_string(),
            })?;
            serde_json::from_slice(&bytes)
                .map_err(|error| KubeError::Answer { operation: operation.clone(), reason: error.to_string() })
        };
        tokio::time::timeout(REQUEST_LIMIT, answer).await.map_err(|_| self.silent(&operation))?
    }

    fn silent(&self, operation: &str) -> KubeError {
        KubeError::Unreachable {
            server: self.server().into(),
            operation: operation.into(),
            reason: format!("no answer within {} seconds", REQUEST_LIMIT.as_secs()),
        }
    }
}

fn request(
    method: &Method,
    path: &str,
    body: Option<&Value>,
    content_type: &str,
) -> Result<Request<Vec<u8>>, KubeError> {
    let mut request = Request::builder().method(method).uri(path);
    if !content_type.is_empty() {
        request = request.header(http::header::CONTENT_TYPE, content_type);
    }
    let body = body.map(Value::to_json).unwrap_or_default().into_bytes();
    request
        .body(body)
        .map_err(|error| KubeError::Answer { operation: format!("{method} `{path}`"), reason: error.to_string() })
}

/// A tree of literals as our own value.
pub(crate) fn value(json: &serde_json::Value) -> Value {
    // Both are JSON, so one can always be read as the other.
    serde_json::from_value(json.clone()).unwrap_or_default()
}

fn with_manager(path: &str) -> String {
    let separator = if path.contains('?') { '&' } else { '?' };
    format!("{path}{separator}fieldManager={FIELD_MANAGER}")
}

/// Text as it may stand in the query of an address.
fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_escaped() {
        assert_eq!(escaped("a b/=&é-"), "a%20b%2F%3D%26%C3%A9-");
        assert_eq!(with_manager("/apis/x?dryRun=All"), "/apis/x?dryRun=All&fieldManager=palisade");
    }
}
