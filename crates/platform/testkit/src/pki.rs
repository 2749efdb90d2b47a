//! The certificates of one test cluster: an authority of its own, what the API server shows, who the administrator is,
//! and the key pair that signs service account tokens.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use crate::failure::OrFail;

/// An authority that signs the certificates of one cluster.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its private key, both PEM.
pub(crate) struct Identity {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut parameters = parameters("palisade test authority", None, Vec::new());
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let issuer = CertifiedIssuer::self_signed(parameters, key()).or_fail(|| "signing the authority".into());
        Self { issuer }
    }

    /// The authority's certificate.
    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for a server on loopback.
    pub(crate) fn server(&self) -> Identity {
        let names = ["127.0.0.1", "localhost", "kubernetes", "kubernetes.default.svc"].map(str::to_owned).to_vec();
        self.issue("kube-apiserver", None, names, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A certificate by which the API server knows user `name` of `group`.
    pub(crate) fn client(&self, name: &str, group: &str) -> Identity {
        self.issue(name, Some(group), Vec::new(), ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn issue(&self, name: &str, group: Option<&str>, hosts: Vec<String>, usage: ExtendedKeyUsagePurpose) -> Identity {
        let key = key();
        let mut parameters = parameters(name, group, hosts);
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![usage];
        let certificate = parameters.signed_by(&key, &self.issuer).or_fail(|| format!("signing `{name}`"));
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// A key pair, public and private, both PEM: what signs service account tokens.
pub(crate) fn signing_pair() -> (String, String) {
    let key = key();
    (key.public_key_pem(), key.serialize_pem())
}

fn parameters(name: &str, group: Option<&str>, hosts: Vec<String>) -> CertificateParams {
    let mut parameters = CertificateParams::new(hosts).or_fail(|| format!("naming `{name}`"));
    parameters.distinguished_name.remove(DnType::CommonName);
    if let Some(group) = group {
        parameters.distinguished_name.push(DnType::OrganizationName, group);
    }
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}

fn key() -> KeyPair {
    KeyPair::generate().or_fail(|| "generating a key".into())
}
