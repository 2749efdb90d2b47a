//! TLS for listeners: the protocol's settings, and certificates from files that may be replaced while it runs.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::config::TlsFiles;
use crate::error::ServerError;

/// How often certificate files are looked at.
const RELOAD: Duration = Duration::from_secs(30);

/// Accepts TLS 1.2 and 1.3 with the certificate that `resolver` has; clients have to show one that `verifier` accepts,
/// where there is a verifier.
pub(crate) fn acceptor(
    purpose: &'static str,
    resolver: Arc<dyn ResolvesServerCert>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<TlsAcceptor, ServerError> {
    let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ServerError::Certificate { purpose, problem: error.to_string() })?;
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// A certificate from files.
#[derive(Debug)]
pub(crate) struct FileCertificate {
    purpose: &'static str,
    files: TlsFiles,
    current: RwLock<Arc<CertifiedKey>>,
}

impl FileCertificate {
    /// Reads the files.
    pub(crate) fn open(purpose: &'static str, files: TlsFiles) -> Result<Arc<Self>, ServerError> {
        let current = RwLock::new(Arc::new(read(purpose, &files)?));
        Ok(Arc::new(Self { purpose, files, current }))
    }

    /// Reads the files anew from time to time. What cannot be used does not replace what can.
    pub(crate) async fn keep_current(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(tokio::time::sleep(RELOAD)).await.is_some() {
            match read(self.purpose, &self.files) {
                Ok(key) => *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key),
                Err(error) => tracing::warn!(%error, "the certificate stays as it was"),
            }
        }
    }
}

impl ResolvesServerCert for FileCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn read(purpose: &'static str, files: &TlsFiles) -> Result<CertifiedKey, ServerError> {
    let wrong = |path: &Path, why: &dyn std::fmt::Display| ServerError::Certificate {
        purpose,
        problem: format!("`{}` cannot be used: {why}; PEM is expected", path.display()),
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(&files.certificate, &error))?;
    if chain.is_empty() {
        return Err(wrong(&files.certificate, &"it holds no certificate"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| wrong(&files.key, &error))?;
    CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| wrong(&files.key, &error))
}
