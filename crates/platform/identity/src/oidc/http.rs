//! The way to the identity provider: HTTPS, bounded in size and time, no redirects.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::request::Builder;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use serde::de::DeserializeOwned;
use url::Url;

use crate::config::is_https_or_loopback;
use crate::error::IdentityError;

const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 1 << 20;
const PURPOSE: &str = "the identity provider";

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
pub(crate) struct Http(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Http {
    /// Trusts the certificates in `ca_file`, or else the public authorities.
    pub(crate) fn new(ca_file: Option<&Path>) -> Result<Self, IdentityError> {
        let builder = HttpsConnectorBuilder::new();
        let builder = match ca_file {
            Some(file) => builder.with_tls_config(trusting(file)?),
            None => builder
                .with_provider_and_webpki_roots(ring::default_provider())
                .map_err(|error| IdentityError::Certificate { purpose: PURPOSE, problem: error.to_string() })?,
        };
        let connector = builder.https_or_http().enable_http1().build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }

    /// The JSON document at `url`.
    pub(super) async fn get<T: DeserializeOwned>(&self, url: &Url) -> Result<T, HttpError> {
        self.exchange(url, Request::get(url.as_str()), String::new()).await
    }

    /// Sends a form to `url`; `authorization` proves who sends it. The JSON document that comes back.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        url: &Url,
        form: String,
        authorization: Option<String>,
    ) -> Result<T, HttpError> {
        let request = Request::post(url.as_str()).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let request = authorization.into_iter().fold(request, |request, proof| request.header(AUTHORIZATION, proof));
        self.exchange(url, request, form).await
    }

    async fn exchange<T: DeserializeOwned>(&self, url: &Url, request: Builder, body: String) -> Result<T, HttpError> {
        if !is_https_or_loopback(url) {
            return Err(HttpError::Plain(url.to_string()));
        }
        let exchange = async {
            let request = request.header(ACCEPT, "application/json").body(Full::new(Bytes::from(body)));
            let answer = self.0.request(request.map_err(|error| error.to_string())?).await;
            let (parts, body) = answer.map_err(|error| chain(&error))?.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| error.to_string())?.to_bytes();
            if parts.status != StatusCode::OK {
                return Err(refusal(parts.status, &body));
            }
            serde_json::from_slice(&body)
                .map_err(|error| format!("it is not the JSON document that it must be: {error}"))
        };
        let answer = tokio::time::timeout(TIMEOUT, exchange).await.unwrap_or_else(|_| Err("it took too long".into()));
        answer.map_err(|reason| HttpError::Exchange { url: url.to_string(), reason })
    }
}

/// Another status than 200, with the error code of OAuth (RFC 6749, section 5.2) where the answer names one.
fn refusal(status: StatusCode, body: &[u8]) -> String {
    let document: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let code = document.get("error").and_then(serde_json::Value::as_str).unwrap_or_default();
    let code: String = code.chars().filter(char::is_ascii_graphic).take(100).collect();
    if code.is_empty() {
        format!("status {}", status.as_u16())
    } else {
        format!("status {}, `{code}`", status.as_u16())
    }
}

/// An error with its causes, which say what actually happened.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn trusting(file: &Path) -> Result<ClientConfig, IdentityError> {
    let wrong = |why: &dyn std::fmt::Display| IdentityError::Certificate {
        purpose: PURPOSE,
        problem: format!("`{}` cannot be used: {why}; PEM is expected", file.display()),
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| wrong(&error))? {
        roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
    }
    if roots.is_empty() {
        return Err(wrong(&"it holds no certificate"));
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| wrong(&error))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
