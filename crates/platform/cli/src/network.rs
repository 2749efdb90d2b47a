//! Sends what policies ask for (`http.send` of Rego) to the hosts that the configuration permits, and to no others.
//!
//! The form of request and answer is that of `palisade_rego`'s `http.send`. Redirects are followed here, one by one,
//! so that each is checked too; answers are bounded in size and time. Deliberately absent: certificates from files and
//! environment variables, which a policy could use to read what it may not.

use std::time::{Duration, Instant};

use palisade_model::{Map, Str, Value};
use ureq::http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::config::Network;

/// The largest answer that is read.
const MAX_ANSWER: u64 = 10 * 1024 * 1024;
/// The longest that one request may take, whatever the policy asks for.
const MAX_TIMEOUT: Duration = Duration::from_mins(1);
const MAX_REDIRECTS: usize = 10;
const MAX_RETRIES: i64 = 3;

/// Sends `request`, answering `{"status", "status_code", "headers", "raw_body"}`.
pub(crate) fn send(request: &Value, permitted: &Network) -> Result<Value, String> {
    let mut exchange = Exchange::new(request, permitted)?;
    let retries = request.get("max_retry_attempts").and_then(Value::as_i64).unwrap_or(0).clamp(0, MAX_RETRIES);
    for _ in 0..retries {
        match exchange.follow() {
            Err(Trouble::Transport(_)) => {}
            decided => return decided.map_err(Trouble::into_text),
        }
    }
    exchange.follow().map_err(Trouble::into_text)
}

/// Why there is no answer.
enum Trouble {
    /// The request may not be sent; trying again changes nothing.
    Refused(String),
    /// The other side could not be reached or did not finish.
    Transport(String),
}

impl Trouble {
    fn into_text(self) -> String {
        match self {
            Self::Refused(text) | Self::Transport(text) => text,
        }
    }
}

struct Exchange<'a> {
    permitted: &'a Network,
    agent: ureq::Agent,
    method: Method,
    uri: Uri,
    headers: Vec<(Str, Str)>,
    body: Vec<u8>,
    redirects: bool,
    end: Instant,
}

impl<'a> Exchange<'a> {
    fn new(request: &Value, permitted: &'a Network) -> Result<Self, String> {
        let text = |name: &str| request.get(name).and_then(Value::as_str);
        let method = text("method").unwrap_or("GET");
        let url = text("url").unwrap_or_default();
        let timeout =
            request.get("timeout").and_then(Value::as_i64).and_then(|nanoseconds| u64::try_from(nanoseconds).ok());
        let timeout = timeout.map_or(MAX_TIMEOUT, Duration::from_nanos).min(MAX_TIMEOUT);
        Ok(Self {
            permitted,
            agent: agent(request, permitted)?,
            method: method.parse().map_err(|_| format!("`{method}` is no HTTP method"))?,
            uri: url.parse().map_err(|error| format!("`{url}` is no URL: {error}"))?,
            headers: headers(request),
            body: text("raw_body").unwrap_or_default().as_bytes().to_vec(),
            redirects: request.get("enable_redirect").and_then(Value::as_bool).unwrap_or(false),
            end: Instant::now() + timeout,
        })
    }

    /// Sends, following redirects where the policy wants them followed.
    fn follow(&mut self) -> Result<Value, Trouble> {
        let mut uri = self.uri.clone();
        for _ in 0..=MAX_REDIRECTS {
            self.check(&uri)?;
            let response = self.once(&uri)?;
            match redirect(&uri, response.status(), response.headers()).filter(|_| self.redirects) {
                Some(next) => uri = next,
                None => return answer(response),
            }
        }
        Err(Trouble::Refused(format!("stopped after {MAX_REDIRECTS} redirects")))
    }

    fn check(&self, uri: &Uri) -> Result<(), Trouble> {
        let host = uri.host().unwrap_or_default();
        let known_scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        if known_scheme && self.permitted.permits(host, port(uri)) {
            return Ok(());
        }
        Err(Trouble::Refused(format!("unallowed host: {host}; permit it under [network] in palisade.toml")))
    }

    fn once(&self, uri: &Uri) -> Result<ureq::http::Response<ureq::Body>, Trouble> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Trouble::Transport("the request timed out".into()));
        }
        let mut request = Request::builder().method(self.method.clone()).uri(uri.clone());
        // Credentials of the first host are not for the second.
        let same_host = uri.host() == self.uri.host();
        for (name, value) in &self.headers {
            if same_host || !(name.eq_ignore_ascii_case("authorization") || name.eq_ignore_ascii_case("cookie")) {
                request = request.header(&**name, &**value);
            }
        }
        let request = request.body(self.body.clone()).map_err(|error| Trouble::Refused(error.to_string()))?;
        let request = self.agent.configure_request(request).timeout_global(Some(left)).build();
        self.agent.run(request).map_err(|error| Trouble::Transport(error.to_string()))
    }
}

fn agent(request: &Value, permitted: &Network) -> Result<ureq::Agent, String> {
    let mut members = request.as_object().into_iter().flat_map(Map::keys);
    if let Some(name) = members.find(|name| name.ends_with("_file") || name.ends_with("_env_variable")) {
        return Err(format!("`{name}` is not permitted: give the certificate itself"));
    }
    let mut tls = TlsConfig::builder();
    if request.get("tls_insecure_skip_verify").and_then(Value::as_bool) == Some(true) {
        if !permitted.allow_unverified_tls {
            return Err("`tls_insecure_skip_verify` is not permitted by the configuration".into());
        }
        tls = tls.disable_verification(true);
    }
    if let Some(pem) = request.get("tls_ca_cert").and_then(Value::as_str) {
        let certificate = Certificate::from_pem(pem.as_bytes()).map_err(|error| format!("`tls_ca_cert`: {error}"))?;
        tls = tls.root_certs(RootCerts::new_with_certs(&[certificate]));
    }
    if request.get("tls_client_cert").is_some() || request.get("tls_client_key").is_some() {
        return Err("client certificates are not supported here".into());
    }
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .allow_non_standard_methods(false)
        .proxy(None)
        .user_agent(concat!("palisade/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls.build())
        .build();
    Ok(config.into())
}

fn headers(request: &Value) -> Vec<(Str, Str)> {
    let members = request.get("headers").and_then(Value::as_object).into_iter().flat_map(Map::iter);
    members.filter_map(|(name, value)| Some((name.clone(), value.as_shared_str()?.clone()))).collect()
}

/// Where a redirect leads; `None` for other answers.
fn redirect(from: &Uri, status: StatusCode, headers: &HeaderMap) -> Option<Uri> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let target = headers.get(header::LOCATION)?.to_str().ok()?;
    if target.starts_with('/') && !target.starts_with("//") {
        return Uri::builder()
            .scheme(from.scheme()?.clone())
            .authority(from.authority()?.clone())
            .path_and_query(target)
            .build()
            .ok();
    }
    target.parse().ok()
}

fn port(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 })
}

fn answer(mut response: ureq::http::Response<ureq::Body>) -> Result<Value, Trouble> {
    let status = response.status();
    let mut headers = Map::new();
    for name in response.headers().keys() {
        let values =
            response.headers().get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into());
        headers.insert(name.as_str(), Value::array(values.map(Value::String).collect::<Vec<_>>()));
    }
    let body = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec();
    let body = body.map_err(|error| Trouble::Transport(format!("reading the answer: {error}")))?;
    let mut answer = Map::new();
    answer.insert("status", format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default()));
    answer.insert("status_code", i64::from(status.as_u16()));
    answer.insert("headers", Value::object(headers));
    answer.insert("raw_body", String::from_utf8_lossy(&body).into_owned());
    Ok(Value::object(answer))
}
