//! The way to the identity provider: HTTPS, bounded in size and time, no redirects.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use url::Url;

use crate::error::ServerError;
use crate::identity::config::is_https_or_loopback;

const TIMEOUT: Duration = Duration::from_secs(10);
/// The largest answer that is read, in bytes.
const MAX_ANSWER: usize = 1 << 20;
const PURPOSE: &str = "the identity provider";

/// A request to the provider that failed.
#[derive(Debug, thiserror::Error)]
pub(in crate::identity) enum HttpError {
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
pub(in crate::identity) struct Http(Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Http {
    /// Trusts the certificates in `ca_file`, or else the public authorities.
    pub(in crate::identity) fn new(ca_file: Option<&Path>) -> Result<Self, ServerError> {
        let builder = HttpsConnectorBuilder::new();
        let builder = match ca_file {
            Some(file) => builder.with_tls_config(trusting(file)?),
            None => builder
                .with_provider_and_webpki_roots(ring::default_provider())
                .map_err(|error| ServerError::Certificate { purpose: PURPOSE, problem: error.to_string() })?,
        };
        let connector = builder.https_or_http().enable_http1().build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let url = request.uri().to_string();
        if !Url::parse(&url).is_ok_and(|url| is_https_or_loopback(&url)) {
            return Err(HttpError::Plain(url));
        }
        let exchange = async {
            let answer = self.0.request(request.map(|body| Full::new(Bytes::from(body)))).await;
            let (parts, body) = answer.map_err(|error| chain(&error))?.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| error.to_string())?;
            Ok(HttpResponse::from_parts(parts, body.to_bytes().to_vec()))
        };
        let answer = tokio::time::timeout(TIMEOUT, exchange).await.unwrap_or_else(|_| Err("it took too long".into()));
        answer.map_err(|reason| HttpError::Exchange { url, reason })
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = BoxFuture<'c, Result<HttpResponse, HttpError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.exchange(request))
    }
}

/// An error with its causes, which say what actually happened.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn trusting(file: &Path) -> Result<ClientConfig, ServerError> {
    let wrong = |why: &dyn std::fmt::Display| ServerError::Certificate {
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
