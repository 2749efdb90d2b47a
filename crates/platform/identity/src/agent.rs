//! Agents: programs that prove who they are by a client certificate that this server signed.
//!
//! An operator issues a join token; the agent makes a key pair, keeps the private key, and exchanges the token and its
//! public key for a certificate that lives for a day. It renews over a connection with the certificate that it has. What
//! the store does not list as live is refused at every request, so that a revoked certificate is worth nothing at once,
//! on every replica. The authority is a key alone: its certificate is made from it anew at each start.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use palisade_runtime::{Readers, replace_file};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PublicKeyData, SerialNumber, SignatureAlgorithm,
};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use sha2::{Digest, Sha256};

use super::refusal::Refusal;
use crate::error::IdentityError;

const PURPOSE: &str = "agents";
/// The authority's file in the data folder.
const KEY_FILE: &str = "agent-authority.key";
/// Clocks of agents may be behind by so much.
const BACKDATED: Duration = Duration::from_mins(5);
/// Longest name of an agent, in characters.
const MAX_NAME: usize = 63;
/// What a DER-encoded ECDSA P-256 public key (RFC 5480) begins with; 65 bytes of an uncompressed point follow.
const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const POINT: usize = 65;

/// The hexadecimal SHA-256 by which the store knows a certificate.
pub(super) fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    palisade_model::hex(&Sha256::digest(certificate))
}

/// Whether an agent may be called so: a DNS label or several.
pub(super) fn is_name(name: &str) -> bool {
    let ends = |end: Option<char>| end.is_some_and(|end| end.is_ascii_lowercase() || end.is_ascii_digit());
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    name.len() <= MAX_NAME && ends(name.chars().next()) && ends(name.chars().next_back()) && name.bytes().all(inner)
}

/// An agent's public key.
#[derive(Debug)]
pub(super) struct PublicKey(Vec<u8>);

impl PublicKey {
    /// From PEM. What agents hold is ECDSA on P-256; whether they hold the private key shows when they connect.
    pub(super) fn from_pem(pem: &str) -> Result<Self, Refusal> {
        let wrong = || Refusal::Invalid("`public_key` is not an ECDSA P-256 public key in PEM".into());
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.as_bytes()).map_err(|_| wrong())?;
        let point = der.strip_prefix(&P256).filter(|point| point.len() == POINT && point.starts_with(&[4]));
        point.map(|point| Self(point.to_vec())).ok_or_else(wrong)
    }
}

impl PublicKeyData for PublicKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

/// What signs the certificates of agents.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority")
    }
}

impl Authority {
    /// With the key in `key_file`, or else the one in the folder `data`, which is made where it is not there.
    pub(super) fn open(key_file: Option<&Path>, data: &Path) -> Result<Self, IdentityError> {
        let path = key_file.map_or_else(|| data.join(KEY_FILE), Path::to_path_buf);
        let pem = match std::fs::read_to_string(&path) {
            Ok(pem) => pem,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && key_file.is_none() => create(&path)?,
            Err(error) => return Err(IdentityError::file("reading the key of the agents' authority", path, error)),
        };
        let wrong = |error: rcgen::Error| wrong(format!("`{}` cannot be used: {error}", path.display()));
        let key = KeyPair::from_pkcs8_pem_and_sign_algo(&pem, &PKCS_ECDSA_P256_SHA256).map_err(wrong)?;
        let params = authority();
        let certificate = params.self_signed(&key).map_err(wrong)?;
        Ok(Self { issuer: Issuer::new(params, key), certificate })
    }

    /// Accepts the certificates that this authority signed and that have not ended. Revocation is looked up at every
    /// request, by [`super::Identity::authenticate`].
    pub(super) fn verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, IdentityError> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.der().clone()).map_err(|error| wrong(error.to_string()))?;
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring::default_provider()))
            .build()
            .map_err(|error| wrong(error.to_string()))
    }

    /// The authority's own certificate, in PEM.
    pub(super) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// A certificate for the agent `name` and its key.
    pub(super) fn sign(
        &self,
        name: &str,
        key: &PublicKey,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<rcgen::Certificate, Refusal> {
        let mut serial = [0; 16];
        getrandom::fill(&mut serial)?;
        // A serial number is positive and has no leading zeros.
        serial[0] = (serial[0] & 0x7f) | 0x40;
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name(name);
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        params.not_before = (SystemTime::from(now) - BACKDATED).into();
        params.not_after = SystemTime::from(expires_at).into();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        params.signed_by(key, &self.issuer).map_err(|error| Refusal::internal("signing a certificate", &error))
    }
}

/// The same at every start but for the key.
fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name("Palisade agents");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params
}

fn common_name(name: &str) -> DistinguishedName {
    let mut full = DistinguishedName::new();
    full.push(DnType::CommonName, name);
    full
}

fn wrong(problem: String) -> IdentityError {
    IdentityError::Certificate { purpose: PURPOSE, problem }
}

/// Makes a key and writes it where only this user reads it; a file that is there is whole.
fn create(path: &Path) -> Result<String, IdentityError> {
    let pem = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(|error| wrong(error.to_string()))?.serialize_pem();
    replace_file(path, Readers::Owner, |file| file.write_all(pem.as_bytes()))
        .map_err(|error| IdentityError::file("writing the key of the agents' authority", path, error))?;
    Ok(pem)
}
