//! One HTTP client for everything that goes out in somebody else's name: what policies ask for, later web hooks and
//! notifications.
//!
//! It reaches the hosts of `[network]` and no others. Redirects are followed here, one by one, so that each is checked
//! too; an answer is bounded in size and time; and the address that is connected to is the one that was checked, so that
//! a name server cannot lead to the metadata service of a cloud. Calls block: from asynchronous code go through
//! [`crate::blocking`]. Deliberately absent: proxies of the environment, certificates from files, cookies.

mod addresses;
mod network;
pub mod send;

use std::time::{Duration, Instant};

use ureq::http::{HeaderMap, Method, Uri, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::DefaultConnector;

use addresses::{Checked, Forbidden};
pub use network::Network;

/// The largest answer that is read.
const MAX_ANSWER: u64 = 10 * 1024 * 1024;
/// The longest that one request may take, whatever is asked for.
const MAX_TIMEOUT: Duration = Duration::from_mins(1);
const MAX_REDIRECTS: usize = 10;
const MAX_RETRIES: u32 = 3;

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method, such as `GET`.
    pub method: String,
    /// Address, with `http` or `https`.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Body; empty for none.
    pub body: Vec<u8>,
    /// How long everything may take; a minute at most.
    pub timeout: Duration,
    /// Whether redirects are followed.
    pub redirects: bool,
    /// How often it is sent again where the other side could not be reached; three times at most.
    pub retries: u32,
    /// Authorities in PEM to trust instead of the public ones.
    pub authorities: Option<String>,
    /// The largest answer that is read, in bytes; ten MiB at most.
    pub max_answer: u64,
    /// Whether the certificate is to be left unverified, where the configuration permits it.
    pub unverified_tls: bool,
}

impl Request {
    /// A request without body that follows no redirect and is sent once.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: MAX_TIMEOUT,
            redirects: false,
            retries: 0,
            authorities: None,
            max_answer: MAX_ANSWER,
            unverified_tls: false,
        }
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// Status.
    pub status: u16,
    /// The usual words for it; empty where there are none.
    pub reason: &'static str,
    /// Headers, names in lower case.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The request may not be sent; trying again changes nothing.
    #[error("{0}")]
    Refused(String),
    /// The other side could not be reached or did not finish.
    #[error("{0}")]
    Transport(String),
}

/// Sends `request` as far as the rules of `network` permit.
pub fn send(request: &Request, network: &Network) -> Result<Response, HttpError> {
    let exchange = Exchange::new(request, network)?;
    for _ in 0..request.retries.min(MAX_RETRIES) {
        match exchange.follow() {
            Err(HttpError::Transport(_)) => {}
            decided => return decided,
        }
    }
    exchange.follow()
}

struct Exchange<'a> {
    request: &'a Request,
    network: &'a Network,
    agent: ureq::Agent,
    method: Method,
    uri: Uri,
    end: Instant,
}

impl<'a> Exchange<'a> {
    fn new(request: &'a Request, network: &'a Network) -> Result<Self, HttpError> {
        let Request { method, url, .. } = request;
        Ok(Self {
            request,
            network,
            agent: agent(request, network)?,
            method: method.parse().map_err(|_| refused(format!("`{method}` is no HTTP method")))?,
            uri: url.parse().map_err(|error| refused(format!("`{url}` is no URL: {error}")))?,
            end: Instant::now() + request.timeout.min(MAX_TIMEOUT),
        })
    }

    /// Sends, following redirects where they are to be followed.
    fn follow(&self) -> Result<Response, HttpError> {
        let (mut uri, mut method) = (self.uri.clone(), self.method.clone());
        for _ in 0..=MAX_REDIRECTS {
            self.check(&uri)?;
            let response = self.once(&uri, &method)?;
            let status = response.status().as_u16();
            match redirect(&uri, status, response.headers()).filter(|_| self.request.redirects) {
                Some(next) => uri = next,
                None => return answer(response, self.request.max_answer),
            }
            // What was sent is not for the place that a redirect leads to, unless it says so.
            if matches!(status, 301..=303) && method != Method::HEAD {
                method = Method::GET;
            }
        }
        Err(refused(format!("stopped after {MAX_REDIRECTS} redirects")))
    }

    fn check(&self, uri: &Uri) -> Result<(), HttpError> {
        let host = uri.host().unwrap_or_default();
        let known_scheme = matches!(uri.scheme_str(), Some("http" | "https"));
        if known_scheme && self.network.permits(host, port(uri)) {
            return Ok(());
        }
        Err(refused(format!("unallowed host: {host}; permit it under [network] in palisade.toml")))
    }

    fn once(&self, uri: &Uri, method: &Method) -> Result<ureq::http::Response<ureq::Body>, HttpError> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(HttpError::Transport("the request timed out".into()));
        }
        let mut request = ureq::http::Request::builder().method(method.clone()).uri(uri.clone());
        // Credentials of the first host are not for the second, nor for whoever listens to one without TLS.
        let same = origin(uri) == origin(&self.uri);
        for (name, value) in &self.request.headers {
            if same || !(name.eq_ignore_ascii_case("authorization") || name.eq_ignore_ascii_case("cookie")) {
                request = request.header(name, value);
            }
        }
        let body = if *method == self.method { self.request.body.clone() } else { Vec::new() };
        let request = request.body(body).map_err(|error| refused(error.to_string()))?;
        let request = self.agent.configure_request(request).timeout_global(Some(left)).build();
        self.agent.run(request).map_err(|error| match error {
            ureq::Error::Other(inner) if inner.is::<Forbidden>() => refused(inner.to_string()),
            error => HttpError::Transport(error.to_string()),
        })
    }
}

fn refused(text: String) -> HttpError {
    HttpError::Refused(text)
}

fn agent(request: &Request, network: &Network) -> Result<ureq::Agent, HttpError> {
    let mut tls = TlsConfig::builder();
    if request.unverified_tls {
        if !network.allow_unverified_tls {
            let text = "connections without a verified certificate are not permitted by the configuration";
            return Err(refused(text.into()));
        }
        tls = tls.disable_verification(true);
    }
    if let Some(pem) = &request.authorities {
        tls = tls.root_certs(RootCerts::new_with_certs(&authorities(pem)?));
    }
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .allow_non_standard_methods(false)
        .proxy(None)
        .user_agent(concat!("palisade/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls.build())
        .build();
    let resolver = Checked::new(DefaultResolver::default(), network.clone());
    Ok(ureq::Agent::with_parts(config, DefaultConnector::default(), resolver))
}

/// The authorities in `pem`, one at least.
fn authorities(pem: &str) -> Result<Vec<Certificate<'static>>, HttpError> {
    let certificates = parse_pem(pem.as_bytes()).filter_map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
        Ok(_) => None,
        Err(error) => Some(Err(refused(format!("the authorities cannot be read: {error}")))),
    });
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>()?;
    if certificates.is_empty() { Err(refused("the authorities hold no certificate".into())) } else { Ok(certificates) }
}

/// Where a redirect leads; `None` for other answers.
fn redirect(from: &Uri, status: u16, headers: &HeaderMap) -> Option<Uri> {
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let target = headers.get(header::LOCATION)?.to_str().ok()?;
    let target = url::Url::parse(&from.to_string()).ok()?.join(target).ok()?;
    target.as_str().parse().ok()
}

fn port(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 })
}

fn origin(uri: &Uri) -> (Option<&str>, String, u16) {
    (uri.scheme_str(), uri.host().unwrap_or_default().to_ascii_lowercase(), port(uri))
}

fn answer(mut response: ureq::http::Response<ureq::Body>, most: u64) -> Result<Response, HttpError> {
    let body = response.body_mut().with_config().limit(most.min(MAX_ANSWER)).read_to_vec();
    let body = body.map_err(|error| HttpError::Transport(format!("reading the answer: {error}")))?;
    let status = response.status();
    Ok(Response {
        status: status.as_u16(),
        reason: status.canonical_reason().unwrap_or_default(),
        headers: std::mem::take(response.headers_mut()),
        body,
    })
}

#[cfg(test)]
mod tests;
