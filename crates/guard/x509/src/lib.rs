//! Certificates, certificate requests and keys as Go's `crypto/x509` reads them.
//!
//! Kyverno's `x509` functions and OPA's `crypto.x509` builtins show certificates in the JSON shape of Go's structures;
//! both take them from here. Deliberately absent: signatures and trust, which are the business of who asks.

mod certificate;
mod der;
mod extensions;
mod key;
mod name;
pub mod pem;
mod shape;

pub use certificate::{Certificate, Request};
pub use der::decimal;
pub use key::{Curve, PrivateKey, PublicKey, RsaPrivate, signature_numbers};
