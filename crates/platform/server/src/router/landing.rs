//! The page at `/`, for whoever comes with a browser: what this is, and where to go on. The console will take its place.

use axum::response::{Html, IntoResponse};
use http::header;

/// Nothing is loaded and nothing runs; the style is the page's own, by its hash.
const POLICY: &str = "default-src 'none'; style-src 'sha256-CqI2QEefZx6ccGt42c534BfgMQTzRdS+030wiJu9z/o='; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}\
dt{margin-top:.75rem}dd{margin:0}";

/// The page.
pub(super) async fn page() -> impl IntoResponse {
    let version = env!("CARGO_PKG_VERSION");
    let entries = [
        ("/api/v1/status", "how the server is, and which policies judge; needs a login"),
        ("/api/v1/findings", "what is wrong now; needs a login"),
        ("/api/v1/session", "who you are, and what you may do; needs a login"),
        ("/api/v1/openapi.json", "all routes"),
        ("/readyz", "whether admission is served"),
        ("/metrics", "figures for Prometheus"),
    ];
    let item = |(path, what): (&str, &str)| format!("<dt><a href=\"{path}\">{path}</a></dt><dd>{what}</dd>\n");
    let list: String = entries.into_iter().map(item).collect();
    let body = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Palisade</title>\
         <style>{STYLE}</style></head><body>\n<h1>Palisade</h1>\n\
         <p>This is the control plane of Palisade {version}: it judges what is deployed and keeps what it found. \
         It is used through its API. <a href=\"/auth/login\">Log in</a> where an identity provider is configured.</p>\n\
         <dl>\n{list}</dl>\n</body></html>\n"
    );
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(body))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_policy_names_the_style() {
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
        assert!(POLICY.contains(&format!("'sha256-{hash}'")), "the style's hash is {hash}");
    }
}
