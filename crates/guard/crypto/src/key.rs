//! Keys: public ones of certificates and PKIX, private ones of PKCS #1, PKCS #8 and SEC 1.

use std::fmt;

use crate::der::{Reader, tag};

const RSA: [u64; 7] = [1, 2, 840, 113_549, 1, 1, 1];
const EC: [u64; 6] = [1, 2, 840, 10045, 2, 1];
const ED25519: [u64; 4] = [1, 3, 101, 112];

/// A named elliptic curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// secp256r1.
    P256,
    /// secp384r1.
    P384,
    /// secp521r1.
    P521,
}

impl Curve {
    /// Bytes of a coordinate.
    pub const fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    fn from_oid(oid: &[u64]) -> Option<Self> {
        match oid {
            [1, 2, 840, 10045, 3, 1, 7] => Some(Self::P256),
            [1, 3, 132, 0, 34] => Some(Self::P384),
            [1, 3, 132, 0, 35] => Some(Self::P521),
            _ => None,
        }
    }
}

/// A public key. Numbers are big endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA.
    Rsa {
        /// The modulus.
        modulus: Vec<u8>,
        /// The public exponent.
        exponent: u32,
    },
    /// A point of a curve, uncompressed: 4, x, y.
    Ecdsa {
        /// The curve.
        curve: Curve,
        /// The point; whether it lies on the curve is not checked here.
        point: Vec<u8>,
    },
    /// Ed25519.
    Ed25519([u8; 32]),
    /// Any other algorithm.
    Unknown,
}

impl PublicKey {
    /// Reads a `SubjectPublicKeyInfo` (PEM's `PUBLIC KEY`).
    pub fn from_pkix(der: &[u8]) -> Result<Self, String> {
        let mut input = Reader::new(der);
        let info = input.enter(tag::SEQUENCE).ok_or("asn1: structure error: malformed public key")?;
        if !input.is_empty() {
            return Err("x509: trailing data after ASN.1 of public-key".into());
        }
        match Self::read(info)? {
            Self::Unknown => Err("x509: unknown public key algorithm".into()),
            key => Ok(key),
        }
    }

    /// Go's number of the algorithm.
    pub const fn algorithm(&self) -> i64 {
        match self {
            Self::Rsa { .. } => 1,
            Self::Ecdsa { .. } => 3,
            Self::Ed25519(_) => 4,
            Self::Unknown => 0,
        }
    }

    /// The content of a `SubjectPublicKeyInfo`.
    pub(crate) fn read(mut info: Reader<'_>) -> Result<Self, String> {
        let mut algorithm = info.enter(tag::SEQUENCE).ok_or("x509: malformed public key algorithm identifier")?;
        let kind = algorithm.oid().ok_or("x509: malformed OID")?;
        let key = info.bit_string().ok_or("x509: malformed subjectPublicKey")?;
        if kind == RSA {
            if algorithm.any().is_none_or(|parameters| parameters.raw != [5, 0]) {
                return Err("x509: RSA key missing NULL parameters".into());
            }
            return read_rsa(&key);
        }
        if kind == EC {
            let curve = algorithm.oid().ok_or("x509: invalid ECDSA parameters")?;
            let curve = Curve::from_oid(&curve).ok_or("x509: unsupported elliptic curve")?;
            if key.len() != 2 * curve.size() + 1 || key.first() != Some(&4) {
                return Err("x509: failed to unmarshal elliptic curve point".into());
            }
            return Ok(Self::Ecdsa { curve, point: key });
        }
        if kind == ED25519 {
            if !algorithm.is_empty() {
                return Err("x509: Ed25519 key encoded with illegal parameters".into());
            }
            return key.try_into().map(Self::Ed25519).map_err(|_| "x509: wrong Ed25519 public key size".into());
        }
        Ok(Self::Unknown)
    }
}

fn read_rsa(key: &[u8]) -> Result<PublicKey, String> {
    let mut key = Reader::new(key).enter(tag::SEQUENCE).ok_or("x509: invalid RSA public key")?;
    let modulus = key.integer().ok_or("x509: invalid RSA modulus")?;
    let exponent = key.small_integer().ok_or("x509: invalid RSA public exponent")?;
    if is_negative(modulus) || modulus == [0] {
        return Err("x509: RSA modulus is not a positive number".into());
    }
    if exponent <= 0 {
        return Err("x509: RSA public exponent is not a positive number".into());
    }
    let exponent = exponent.try_into().map_err(|_| "x509: RSA public exponent is too large")?;
    Ok(PublicKey::Rsa { modulus: unsigned(modulus), exponent })
}

fn is_negative(number: &[u8]) -> bool {
    number.first().is_some_and(|byte| byte & 0x80 != 0)
}

/// Without the zero that keeps a number from being negative.
fn unsigned(number: &[u8]) -> Vec<u8> {
    number.strip_prefix(&[0]).unwrap_or(number).to_vec()
}

/// A private key. It is not shown by `Debug`.
#[derive(Clone)]
pub enum PrivateKey {
    /// RSA with two primes.
    Rsa(RsaPrivate),
    /// A scalar of a curve, as long as the curve's numbers.
    Ecdsa {
        /// The curve.
        curve: Curve,
        /// The scalar, big endian.
        scalar: Vec<u8>,
    },
    /// The seed of an Ed25519 key.
    Ed25519([u8; 32]),
}

/// The numbers of an RSA key, big endian.
#[derive(Clone)]
#[allow(missing_docs, reason = "the names are those of RFC 8017")]
pub struct RsaPrivate {
    pub modulus: Vec<u8>,
    pub public_exponent: u32,
    pub private_exponent: Vec<u8>,
    pub primes: [Vec<u8>; 2],
    pub exponents: [Vec<u8>; 2],
    pub coefficient: Vec<u8>,
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey")
    }
}

impl fmt::Debug for RsaPrivate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaPrivate")
    }
}

impl PrivateKey {
    /// Reads PKCS #1 (PEM's `RSA PRIVATE KEY`).
    pub fn from_pkcs1(der: &[u8]) -> Result<Self, String> {
        const WRONG: &str = "asn1: structure error: malformed RSA private key";
        let mut key = Reader::new(der).enter(tag::SEQUENCE).ok_or(WRONG)?;
        let version = key.small_integer().ok_or(WRONG)?;
        if version != 0 {
            return Err("x509: unsupported private key version".into());
        }
        let mut number = || {
            let number = key.integer().ok_or(WRONG)?;
            if is_negative(number) || number == [0] {
                return Err("x509: private key contains zero or negative value");
            }
            Ok(unsigned(number))
        };
        let modulus = number()?;
        let exponent = number()?;
        let public_exponent =
            exponent.iter().try_fold(0_u32, |value, byte| value.checked_mul(256)?.checked_add((*byte).into()));
        Ok(Self::Rsa(RsaPrivate {
            modulus,
            public_exponent: public_exponent.ok_or("x509: RSA public exponent is too large")?,
            private_exponent: number()?,
            primes: [number()?, number()?],
            exponents: [number()?, number()?],
            coefficient: number()?,
        }))
    }

    /// Reads PKCS #8 (PEM's `PRIVATE KEY`).
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, String> {
        const WRONG: &str = "asn1: structure error: malformed PKCS#8 private key";
        let mut key = Reader::new(der).enter(tag::SEQUENCE).ok_or(WRONG)?;
        key.small_integer().ok_or(WRONG)?;
        let mut algorithm = key.enter(tag::SEQUENCE).ok_or(WRONG)?;
        let kind = algorithm.oid().ok_or(WRONG)?;
        let bytes = key.expect(tag::OCTET_STRING).ok_or(WRONG)?.body;
        if kind == RSA {
            return Self::from_pkcs1(bytes)
                .map_err(|error| format!("x509: failed to parse RSA private key embedded in PKCS#8: {error}"));
        }
        if kind == EC {
            let curve = algorithm.oid().and_then(|oid| Curve::from_oid(&oid));
            return read_sec1(bytes, curve)
                .map_err(|error| format!("x509: failed to parse EC private key embedded in PKCS#8: {error}"));
        }
        if kind == ED25519 {
            let seed = Reader::new(bytes).expect(tag::OCTET_STRING).map(|seed| seed.body);
            let seed = seed.and_then(|seed| seed.try_into().ok()).ok_or("x509: invalid Ed25519 private key")?;
            return Ok(Self::Ed25519(seed));
        }
        Err("x509: PKCS#8 wrapping contained private key with unknown algorithm".into())
    }

    /// Reads SEC 1 (PEM's `EC PRIVATE KEY`).
    pub fn from_sec1(der: &[u8]) -> Result<Self, String> {
        read_sec1(der, None)
    }
}

fn read_sec1(der: &[u8], curve: Option<Curve>) -> Result<PrivateKey, String> {
    const WRONG: &str = "x509: failed to parse EC private key";
    let mut key = Reader::new(der).enter(tag::SEQUENCE).ok_or(WRONG)?;
    if key.small_integer() != Some(1) {
        return Err("x509: unknown EC private key version".into());
    }
    let scalar = key.expect(tag::OCTET_STRING).ok_or(WRONG)?.body;
    let named = if key.next_is(tag::constructed(0)) { key.enter(tag::constructed(0)) } else { None };
    let named = named.and_then(|mut named| named.oid()).and_then(|oid| Curve::from_oid(&oid));
    let curve = curve.or(named).ok_or("x509: unknown elliptic curve")?;
    let significant = scalar.iter().position(|byte| *byte != 0).and_then(|at| scalar.get(at..)).unwrap_or_default();
    let missing =
        curve.size().checked_sub(significant.len()).ok_or("x509: invalid elliptic curve private key value")?;
    let scalar = std::iter::repeat_n(0, missing).chain(significant.iter().copied()).collect();
    Ok(PrivateKey::Ecdsa { curve, scalar })
}

/// The two numbers of an ECDSA signature.
pub(crate) fn signature_numbers(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut input = Reader::new(der);
    let mut numbers = input.enter(tag::SEQUENCE).filter(|_| input.is_empty())?;
    let (r, s) = (numbers.integer()?, numbers.integer()?);
    (numbers.is_empty() && !is_negative(r) && !is_negative(s)).then(|| (unsigned(r), unsigned(s)))
}
