//! Certificates and certificate requests as Go's `crypto/x509` reads them, in the JSON shape of its structures.

mod certificate;
pub mod chain;
mod extensions;
mod go_json;
pub mod kyverno;
mod name;

pub use certificate::{Certificate, Request};
