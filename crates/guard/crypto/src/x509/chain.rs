//! Chains of certificates from a leaf to a root, judged as Go's `Certificate.Verify` judges them.
//!
//! Deliberately absent: certificate policies and revocation. Work is bounded: so many signatures are checked, no more.

mod names;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use palisade_model::Value as Json;

use super::Certificate;
use crate::hash::Hash;
use crate::key::PublicKey;
use crate::signature::{Padding, Scheme, verify_asn1};

/// The most signatures that are checked for one leaf.
const MAX_SIGNATURES: u32 = 100;
/// The most comparisons of names with constraints.
const MAX_COMPARISONS: usize = 250_000;
/// Extended key usages by Go's number.
const USAGES: [&str; 14] = [
    "KeyUsageAny",
    "KeyUsageServerAuth",
    "KeyUsageClientAuth",
    "KeyUsageCodeSigning",
    "KeyUsageEmailProtection",
    "KeyUsageIPSECEndSystem",
    "KeyUsageIPSECTunnel",
    "KeyUsageIPSECUser",
    "KeyUsageTimeStamping",
    "KeyUsageOCSPSigning",
    "KeyUsageMicrosoftServerGatedCrypto",
    "KeyUsageNetscapeServerGatedCrypto",
    "KeyUsageMicrosoftCommercialCodeSigning",
    "KeyUsageMicrosoftKernelCodeSigning",
];
const ANY_USAGE: i64 = 0;
const SERVER_AUTHENTICATION: i64 = 1;

/// What is asked of a chain.
#[derive(Clone, Debug)]
pub struct Options {
    /// The host whose name the leaf must cover; empty where any may do.
    pub host: String,
    /// The moment to judge by, if not the present one.
    pub time: Option<Timestamp>,
    /// The most comparisons of names with constraints, if fewer than usual.
    pub comparisons: Option<usize>,
    /// The usages of which one must be permitted, by [`usage`].
    pub usages: Vec<i64>,
}

impl Default for Options {
    fn default() -> Self {
        Self { host: String::new(), time: None, comparisons: None, usages: vec![SERVER_AUTHENTICATION] }
    }
}

/// Go's number of an extended key usage such as `KeyUsageServerAuth`.
pub fn usage(name: &str) -> Option<i64> {
    (0..).zip(USAGES).find(|(_, known)| *known == name).map(|(number, _)| number)
}

/// The chain from the last certificate, the leaf, to the first, the root, through those between; `None` where there is
/// none that holds.
pub fn verify<'a>(certificates: &'a [Certificate], options: &Options, now: Timestamp) -> Option<Vec<&'a Certificate>> {
    let [root, intermediates @ .., leaf] = certificates else { return None };
    let moment = TimeZone::UTC.to_datetime(options.time.unwrap_or(now));
    let comparisons = options.comparisons.unwrap_or(MAX_COMPARISONS).min(MAX_COMPARISONS);
    let mut search = Search { root, intermediates, moment, signatures: MAX_SIGNATURES, comparisons };
    let host = options.host.as_str();
    if !search.is_valid(leaf, Role::Leaf, &[]) || !(host.is_empty() || names::covers(leaf, host)) {
        return None;
    }
    let permitted = |chain: &[&Certificate]| permits(chain, &options.usages);
    if root.raw == leaf.raw {
        return permitted(&[leaf]).then(|| vec![leaf]);
    }
    search.extend(&[leaf], &permitted)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Leaf,
    Intermediate,
    Root,
}

struct Search<'a> {
    root: &'a Certificate,
    intermediates: &'a [Certificate],
    moment: DateTime,
    signatures: u32,
    comparisons: usize,
}

impl<'a> Search<'a> {
    /// The first chain that begins with `chain` and ends with the root. No deeper than there are intermediates.
    fn extend(
        &mut self,
        chain: &[&'a Certificate],
        permitted: &dyn Fn(&[&Certificate]) -> bool,
    ) -> Option<Vec<&'a Certificate>> {
        let candidates = std::iter::once((self.root, Role::Root));
        let candidates = candidates.chain(self.intermediates.iter().map(|between| (between, Role::Intermediate)));
        for (candidate, role) in candidates.collect::<Vec<_>>() {
            if chain.iter().any(|other| other.subject == candidate.subject && other.key == candidate.key) {
                continue;
            }
            let child = chain.last()?;
            if child.issuer != candidate.subject || !self.has_signed(candidate, child) {
                continue;
            }
            if !self.is_valid(candidate, role, chain) {
                continue;
            }
            let mut longer = chain.to_vec();
            longer.push(candidate);
            let found = match role {
                Role::Root => permitted(&longer).then_some(longer),
                _ => self.extend(&longer, permitted),
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn has_signed(&mut self, parent: &Certificate, child: &Certificate) -> bool {
        const CERTIFICATE_SIGN: i64 = 1 << 5;
        let Some(left) = self.signatures.checked_sub(1) else { return false };
        self.signatures = left;
        let constrained = flag(parent, "BasicConstraintsValid");
        let not_a_ca = if constrained { !flag(parent, "IsCA") } else { number(parent, "Version") == 3 };
        let usage = number(parent, "KeyUsage");
        if not_a_ca || (usage != 0 && usage & CERTIFICATE_SIGN == 0) {
            return false;
        }
        verify_signature(child, &parent.key)
    }

    /// Whether a certificate may stand behind `chain`.
    fn is_valid(&mut self, certificate: &Certificate, role: Role, chain: &[&Certificate]) -> bool {
        let [first, last] = certificate.validity;
        if !list(certificate, "UnhandledCriticalExtensions").is_empty() || self.moment < first || self.moment > last {
            return false;
        }
        if role != Role::Leaf && !names::permits(certificate, chain, &mut self.comparisons) {
            return false;
        }
        let constrained = flag(certificate, "BasicConstraintsValid");
        if role == Role::Intermediate && !(constrained && flag(certificate, "IsCA")) {
            return false;
        }
        let most = number(certificate, "MaxPathLen");
        let between = i64::try_from(chain.len().saturating_sub(1)).unwrap_or(i64::MAX);
        !(constrained && most >= 0 && between > most)
    }
}

/// Signatures over MD5 and SHA-1 do not count.
fn verify_signature(child: &Certificate, key: &PublicKey) -> bool {
    let hash = match child.algorithm {
        4 | 10 | 13 => Hash::Sha256,
        5 | 11 | 14 => Hash::Sha384,
        _ => Hash::Sha512,
    };
    let scheme = match child.algorithm {
        4..=6 => Scheme::Rsa(Padding::Pkcs1, hash),
        10..=12 => Scheme::Ecdsa(hash),
        13..=15 => Scheme::Rsa(Padding::Pss, hash),
        16 => Scheme::Ed25519,
        _ => return false,
    };
    verify_asn1(scheme, key, &child.signed, &child.signature)
}

/// Whether one of the usages is left when all certificates have taken away what they do not permit.
fn permits(chain: &[&Certificate], usages: &[i64]) -> bool {
    if usages.contains(&ANY_USAGE) {
        return true;
    }
    let mut left = usages.to_vec();
    for certificate in chain.iter().rev() {
        let permitted: Vec<_> = list(certificate, "ExtKeyUsage").iter().filter_map(Json::as_i64).collect();
        let unlimited = permitted.is_empty() && list(certificate, "UnknownExtKeyUsage").is_empty();
        if !unlimited && !permitted.contains(&ANY_USAGE) {
            left.retain(|usage| permitted.contains(usage));
        }
    }
    !left.is_empty()
}

fn flag(certificate: &Certificate, name: &str) -> bool {
    matches!(certificate.fields.get(name), Some(Json::Bool(true)))
}

fn number(certificate: &Certificate, name: &str) -> i64 {
    certificate.fields.get(name).and_then(Json::as_i64).unwrap_or(0)
}

fn list<'a>(certificate: &'a Certificate, name: &str) -> &'a [Json] {
    certificate.fields.get(name).and_then(Json::as_array).unwrap_or_default()
}
