//! Any bytes as a certificate, a request, a key, a key set or a token: read or refused, without a panic.
//!
//! Run with `cargo +nightly fuzz run crypto`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_crypto::jose::{Header, KeySet, Token};
use palisade_crypto::x509::{Certificate, Request};
use palisade_crypto::{PrivateKey, PublicKey, pem};
use palisade_document::{Limits, decode, parse_json};

fuzz_target!(|bytes: &[u8]| {
    der(bytes);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut rest = text;
    while let Some((block, after)) = pem::decode(rest) {
        assert!(after.len() < rest.len(), "each block takes some of the text");
        der(&block.bytes);
        rest = after;
    }
    let _ = KeySet::from_pem(text);
    if let Ok(token) = Token::read(text) {
        let _ = (token.header(), token.payload(), token.signature());
    }
    let Ok(source) = decode("fuzz.json", bytes) else { return };
    for document in parse_json(source, &Limits::default()).documents {
        let _ = (KeySet::read(&document.value), Header::read(&document.value));
    }
});

fn der(bytes: &[u8]) {
    if let Ok(certificate) = Certificate::read(bytes) {
        assert!(!certificate.serial_decimal().is_empty());
    }
    let _ = (Certificate::read_all(bytes), Request::read(bytes));
    let _ = (PublicKey::from_pkix(bytes), PrivateKey::from_pkcs1(bytes));
    let _ = (PrivateKey::from_pkcs8(bytes), PrivateKey::from_sec1(bytes));
}
