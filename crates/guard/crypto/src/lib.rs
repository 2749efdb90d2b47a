//! Certificates, keys, signatures, hashes and tokens.
//!
//! CEL's and Rego's functions take them from here, and so does whoever checks a token or a signature of an image. Pure: the
//! moment is an argument, and what is drawn at random is given. Built on the RustCrypto crates, which no other engine
//! names. Deliberately absent: encryption, making keys, and TLS.

mod der;
mod ecdsa;
pub mod hash;
pub mod jose;
mod key;
pub mod pem;
mod rsa;
pub mod signature;
pub mod x509;

pub use der::decimal;
pub use hash::Hash;
pub use key::{Curve, PrivateKey, PublicKey, RsaPrivate};
