//! Certificates of our own, for the webhooks that the API server calls.
//!
//! An authority of our own signs a serving certificate for the name that the API server uses. Both are renewed long before
//! they end: a new authority joins the bundle first and signs only once the bundle had time to arrive everywhere. Material
//! that the API server would not accept now (ended, not yet begun, damaged, for another name) is made anew at once. Replicas
//! share it through a Secret, a server outside the cluster keeps it in its data folder. Deliberately absent: certificates
//! that a user supplies, which the server reads itself.

mod keeping;
mod material;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use palisade_model::Str;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

pub use keeping::Keeping;
pub use material::Material;

use crate::{KubeError, KubernetesConfig};

/// How often the material is looked after.
const INTERVAL: Duration = Duration::from_mins(1);

/// How often two replicas may write over each other before one gives up until the next look.
const ATTEMPTS: usize = 5;

/// The certificate that we serve with, kept fresh. Clones share it.
#[derive(Clone, Debug)]
pub struct Certificates {
    keeping: Arc<Keeping>,
    names: Arc<[String]>,
    material: Arc<Mutex<Option<Material>>>,
    served: Arc<Served>,
    bundle: watch::Sender<Str>,
}

impl Certificates {
    /// Reads the material that is kept, or makes it where there is none that is sound at `now`. `names` are DNS names and
    /// IP addresses that the API server may use; the first is checked.
    pub async fn open(keeping: Keeping, names: Vec<String>, now: Timestamp) -> Result<Self, KubeError> {
        let certificates = Self {
            keeping: Arc::new(keeping),
            names: names.into(),
            material: Arc::default(),
            served: Arc::default(),
            bundle: watch::Sender::new("".into()),
        };
        certificates.refresh(now).await?;
        Ok(certificates)
    }

    /// For rustls: always the newest certificate, also for connections to come on a listener that is already open.
    pub fn resolver(&self) -> Arc<dyn ResolvesServerCert> {
        self.served.clone()
    }

    /// The authorities that the API server has to trust, as PEM, with every change.
    pub fn bundles(&self) -> watch::Receiver<Str> {
        self.bundle.subscribe()
    }

    /// Looks after the material once, at the time `now`: takes over what another replica made, renews what is due and makes
    /// anew what is not sound. Returns whether anything changed.
    pub async fn refresh(&self, now: Timestamp) -> Result<bool, KubeError> {
        let mut held = self.material.lock().await;
        for _ in 0..ATTEMPTS {
            let kept = self.keeping.read().await?;
            let found = kept.material.as_deref().and_then(Material::from_json).or_else(|| held.clone());
            let material = Material::renewed(found.clone(), &self.names, now)?;
            if (kept.material.is_none() || found.as_ref() != Some(&material))
                && !self.keeping.write(&material.to_json()?, &kept).await?
            {
                continue;
            }
            let changed = held.as_ref() != Some(&material);
            if changed {
                self.served.set(material.certified_key()?);
                self.bundle.send_replace(material.bundle().into());
                *held = Some(material);
            }
            return Ok(changed);
        }
        Err(KubeError::Certificate {
            operation: "keep the certificate".into(),
            reason: "other replicas change it at the same time; it is tried again in a minute".into(),
        })
    }

    /// Looks after the material every minute until `shutdown`. What fails is logged and tried again.
    pub async fn keep(self, clock: impl Fn() -> Timestamp + Send, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
            match self.refresh(clock()).await {
                Ok(true) => tracing::info!("the certificate of the admission webhooks was renewed"),
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "the certificate of the admission webhooks was not looked after"),
            }
        }
    }
}

/// The names under which the API server reaches the webhooks of this configuration.
pub fn names(config: &KubernetesConfig) -> Vec<String> {
    let host = config.webhook_url.as_ref().and_then(|url| url.parse::<http::Uri>().ok()?.host().map(str::to_owned));
    if let Some(host) = host {
        return vec![host.trim_start_matches('[').trim_end_matches(']').to_owned()];
    }
    let short = format!("{}.{}.svc", config.service, config.namespace);
    vec![short.clone(), format!("{short}.cluster.local")]
}

/// What rustls asks at every handshake.
#[derive(Default)]
struct Served(RwLock<Option<Arc<CertifiedKey>>>);

impl Served {
    fn set(&self, key: CertifiedKey) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(key));
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Served")
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests;
