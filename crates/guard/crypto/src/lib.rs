//! Certificates, certificate requests and keys.
//!
//! Kyverno's `x509` functions and OPA's `crypto.x509` builtins take them from here. Deliberately absent: encryption.

mod der;
mod key;
pub mod pem;
pub mod x509;

pub use der::decimal;
pub use key::{Curve, PrivateKey, PublicKey, RsaPrivate, signature_numbers};
