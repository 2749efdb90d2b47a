//! Authorities and the serving certificate at one moment, and what they should be at the next. Pure but for randomness.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};

use crate::KubeError;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How long an authority lasts.
const AUTHORITY: SignedDuration = SignedDuration::from_hours(365 * 24);

/// How long a serving certificate lasts.
const SERVING: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How far the clocks of replicas and API servers may be apart.
const SKEW: SignedDuration = SignedDuration::from_hours(1);

/// How long a new authority is only trusted before it signs, so that every API server knows it by then.
const SETTLING: SignedDuration = SignedDuration::from_mins(10);

/// Authorities, oldest first, and the certificate that is served.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    authorities: Vec<Authority>,
    serving: Serving,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Authority {
    certificate: String,
    key: String,
    made: Timestamp,
    ends: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Serving {
    certificate: String,
    key: String,
    names: Vec<String>,
    /// The certificate of the authority that signed it.
    issuer: String,
    ends: Timestamp,
}

impl fmt::Debug for Material {
    /// Without keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ends: Vec<_> = self.authorities.iter().map(|authority| authority.ends).collect();
        f.debug_struct("Material").field("authorities", &ends).field("serving", &self.serving.ends).finish()
    }
}

impl Material {
    /// Reads what [`Material::to_json`] wrote; `None` where it is anything else.
    pub fn from_json(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// As it is kept. Holds private keys.
    pub fn to_json(&self) -> Result<String, KubeError> {
        serde_json::to_string(self).map_err(|error| failed("write the certificate", &error))
    }

    /// What the material should be at `now`: `found` itself where that is sound and nothing is due.
    pub fn renewed(found: Option<Self>, names: &[String], now: Timestamp) -> Result<Self, KubeError> {
        let mut authorities = found.as_ref().map(|found| found.authorities.clone()).unwrap_or_default();
        authorities.retain(|authority| authority.is_sound(now));
        if authorities.last().is_none_or(|newest| newest.ends.duration_since(now) < AUTHORITY / 3) {
            authorities.push(Authority::new(now)?);
        }
        let settled = |authority: &&Authority| now.duration_since(authority.made) >= SETTLING;
        let Some(signing) = authorities.iter().rev().find(settled).or(authorities.last()) else {
            return Err(failed("make a certificate", &"there is no authority"));
        };
        let kept = found.map(|found| found.serving).filter(|serving| {
            serving.issuer == signing.certificate
                && serving.names == names
                && serving.ends.duration_since(now) >= SERVING / 3
                && serving.is_sound(&authorities, now)
        });
        let serving = match kept {
            Some(serving) => serving,
            None => Serving::new(signing, names, now)?,
        };
        // Predecessors of the signing authority are trusted as long as a replica may still serve with one of theirs.
        let position = authorities.iter().position(|authority| authority.certificate == serving.issuer).unwrap_or(0);
        let outdated = |at: usize, authority: &Authority| {
            at < position
                && authorities.get(at + 1).is_some_and(|next| now.duration_since(next.made) > DAY)
                && authority.certificate != serving.issuer
        };
        let authorities = (0..)
            .zip(&authorities)
            .filter(|(at, authority)| !outdated(*at, authority))
            .map(|(_, one)| one.clone())
            .collect();
        Ok(Self { authorities, serving })
    }

    /// The certificates of all authorities, as PEM.
    pub fn bundle(&self) -> String {
        self.authorities.iter().map(|authority| authority.certificate.as_str()).collect()
    }

    /// The chain that is served, with its key.
    pub fn certified_key(&self) -> Result<CertifiedKey, KubeError> {
        self.serving.certified_key()
    }

    /// When the serving certificate ends.
    pub fn ends(&self) -> Timestamp {
        self.serving.ends
    }
}

impl Authority {
    fn new(now: Timestamp) -> Result<Self, KubeError> {
        let ends = now + AUTHORITY;
        let mut parameters = parameters("Palisade admission authority", Vec::new(), now, ends)?;
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = key()?;
        let pem = key.serialize_pem();
        let issuer =
            CertifiedIssuer::self_signed(parameters, key).map_err(|error| failed("sign an authority", &error))?;
        Ok(Self { certificate: issuer.pem(), key: pem, made: now, ends })
    }

    /// Whether it lasts, and its key can sign and is the certificate's.
    fn is_sound(&self, now: Timestamp) -> bool {
        let lasts = self.made.duration_since(now) <= SKEW && self.ends > now;
        let key = KeyPair::from_pem(&self.key);
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes());
        let (Ok(key), Ok(certificate), true) = (key, certificate, lasts) else { return false };
        let public = key.public_key_raw();
        certificate.windows(public.len()).any(|window| window == public)
    }

    fn issuer(&self) -> Result<Issuer<'static, KeyPair>, KubeError> {
        let key = KeyPair::from_pem(&self.key).map_err(|error| failed("read the authority's key", &error))?;
        // Only what an issuer takes part with counts here: its name, its key and what the key may be used for.
        let mut parameters = parameters("Palisade admission authority", Vec::new(), self.made, self.ends)?;
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Ok(Issuer::new(parameters, key))
    }
}

impl Serving {
    fn new(authority: &Authority, names: &[String], now: Timestamp) -> Result<Self, KubeError> {
        let ends = (now + SERVING).min(authority.ends);
        let name = names.first().map_or("palisade", String::as_str);
        let mut parameters = parameters(name, names.to_vec(), now, ends)?;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        parameters.use_authority_key_identifier_extension = true;
        let key = key()?;
        let signed = parameters.signed_by(&key, &authority.issuer()?);
        let certificate = signed.map_err(|error| failed("sign a serving certificate", &error))?.pem();
        let issuer = authority.certificate.clone();
        Ok(Self { certificate, key: key.serialize_pem(), names: names.to_vec(), issuer, ends })
    }

    fn certified_key(&self) -> Result<CertifiedKey, KubeError> {
        let read = |error: rustls::pki_types::pem::Error| failed("read the serving certificate", &error);
        let certificate = CertificateDer::from_pem_slice(self.certificate.as_bytes()).map_err(read)?;
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(read)?;
        let provider = ring::default_provider();
        let used = |error: rustls::Error| failed("use the serving certificate", &error);
        let key = CertifiedKey::from_der(vec![certificate], key, &provider).map_err(used)?;
        key.keys_match().map_err(used)?;
        Ok(key)
    }

    /// Whether a client that trusts the authorities accepts it at `now`, as the API server would.
    fn is_sound(&self, authorities: &[Authority], now: Timestamp) -> bool {
        let mut roots = RootCertStore::empty();
        for authority in authorities {
            let Ok(certificate) = CertificateDer::from_pem_slice(authority.certificate.as_bytes()) else {
                return false;
            };
            if roots.add(certificate).is_err() {
                return false;
            }
        }
        let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let name = self.names.first().and_then(|name| ServerName::try_from(name.as_str()).ok());
        let since = Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default());
        let (Ok(verifier), Some(name), Ok(key)) = (verifier, name, self.certified_key()) else { return false };
        let verified = |certificate: &CertificateDer<'_>| {
            verifier.verify_server_cert(certificate, &[], &name, &[], UnixTime::since_unix_epoch(since)).is_ok()
        };
        key.cert.first().is_some_and(verified)
    }
}

fn key() -> Result<KeyPair, KubeError> {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(|error| failed("make a key", &error))
}

fn parameters(
    name: &str,
    hosts: Vec<String>,
    begins: Timestamp,
    ends: Timestamp,
) -> Result<CertificateParams, KubeError> {
    let mut parameters = CertificateParams::new(hosts).map_err(|error| failed("name a certificate", &error))?;
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name.get(..64).unwrap_or(name));
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let since = |at: Timestamp| Duration::from_secs(u64::try_from(at.as_second()).unwrap_or_default());
    parameters.not_before = epoch + since(begins - SKEW);
    parameters.not_after = epoch + since(ends);
    Ok(parameters)
}

fn failed(operation: &str, reason: &dyn fmt::Display) -> KubeError {
    KubeError::Certificate { operation: operation.into(), reason: reason.to_string() }
}
