//! Kubeconfig files for a test cluster. Written as JSON, which is YAML.

use serde_json::{Value, json};

/// A kubeconfig with one user, given as the `user` object of the format.
pub(crate) fn render(url: &str, authority: &str, user: &Value) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority": authority}}],
        "users": [{"name": "test", "user": user}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    })
    .to_string()
}
