//! The way to the identity provider: HTTPS, bounded in size and time, no redirects, through the client that everything
//! outgoing goes through.

use std::path::Path;
use std::time::Duration;

use http::StatusCode;
use palisade_runtime::http as outgoing;
use palisade_runtime::{Network, blocking};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde::de::DeserializeOwned;
use url::Url;

use crate::config::is_https_or_loopback;
use crate::error::IdentityError;

const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer that is read, in bytes.
const MAX_ANSWER: u64 = 1 << 20;

/// A request to the provider that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// The address would be asked without encryption.
    #[error("`{0}` is neither https nor on this machine")]
    Plain(String),
    /// No answer, or none that can be used.
    #[error("no usable answer from `{url}`: {reason}")]
    Exchange {
        /// Whom.
        url: String,
        /// Why.
        reason: String,
    },
}

/// A client of the provider.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    /// The authorities to trust, in PEM; none for the public ones.
    authorities: Option<String>,
}

impl Http {
    /// Trusts the certificates in `ca_file`, or else the public authorities.
    pub(crate) fn new(ca_file: Option<&Path>) -> Result<Self, IdentityError> {
        Ok(Self { authorities: ca_file.map(authorities).transpose()? })
    }

    /// The JSON document at `url`.
    pub(super) async fn get<T: DeserializeOwned>(&self, url: &Url) -> Result<T, HttpError> {
        self.exchange(url, outgoing::Request::new("GET", url.as_str())).await
    }

    /// Sends a form to `url`; `authorization` proves who sends it. The JSON document that comes back.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        url: &Url,
        form: String,
        authorization: Option<String>,
    ) -> Result<T, HttpError> {
        let mut request = outgoing::Request::new("POST", url.as_str());
        request.headers.push(("content-type".into(), "application/x-www-form-urlencoded".into()));
        request.headers.extend(authorization.map(|proof| ("authorization".into(), proof)));
        request.body = form.into_bytes();
        self.exchange(url, request).await
    }

    async fn exchange<T: DeserializeOwned>(&self, url: &Url, request: outgoing::Request) -> Result<T, HttpError> {
        if !is_https_or_loopback(url) {
            return Err(HttpError::Plain(url.to_string()));
        }
        let unusable = |reason| HttpError::Exchange { url: url.to_string(), reason };
        let authorities = self.authorities.clone();
        let mut request = outgoing::Request { timeout: TIMEOUT, max_answer: MAX_ANSWER, authorities, ..request };
        request.headers.push(("accept".into(), "application/json".into()));
        let network = Network::only(url.host_str().unwrap_or_default());
        let answer = blocking("asking the identity provider", move || outgoing::send(&request, &network)).await;
        let answer = answer.map_err(|error| unusable(error.to_string()))?;
        let answer = answer.map_err(|error| unusable(error.to_string()))?;
        if answer.status != StatusCode::OK.as_u16() {
            return Err(unusable(refusal(answer.status, &answer.body)));
        }
        serde_json::from_slice(&answer.body)
            .map_err(|error| unusable(format!("it is not the JSON document that it must be: {error}")))
    }
}

/// Another status than 200, with the error code of OAuth (RFC 6749, section 5.2) where the answer names one.
fn refusal(status: u16, body: &[u8]) -> String {
    let document: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let code = document.get("error").and_then(serde_json::Value::as_str).unwrap_or_default();
    let code: String = code.chars().filter(char::is_ascii_graphic).take(100).collect();
    if code.is_empty() { format!("status {status}") } else { format!("status {status}, `{code}`") }
}

/// The certificates of a file, each of which can be an authority.
fn authorities(file: &Path) -> Result<String, IdentityError> {
    let wrong = |why: &dyn std::fmt::Display| IdentityError::Certificate {
        purpose: "the identity provider",
        problem: format!("`{}` cannot be used: {why}; PEM is expected", file.display()),
    };
    let pem = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
    }
    if roots.is_empty() { Err(wrong(&"it holds no certificate")) } else { Ok(pem) }
}
