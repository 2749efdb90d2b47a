//! The resource at hand: what its annotations say was signed, how it differs from that, and by whom it was signed.

use std::cell::OnceCell;

use palisade_crypto::PublicKey;
use palisade_model::{GroupVersionKind, Value};

use super::comparison::{Difference, differences, most_alike};
use super::ignore::IgnoredFields;
use super::{key, message};

/// How many manifests are compared where none has the name of the resource.
const MAX_CANDIDATES: usize = 3;
/// How many signatures are tried per key.
const MAX_SIGNATURES: usize = 100;
/// How many differing fields are named.
const MAX_DIFFERENCES: usize = 100;

/// Why a question about a signature has no positive answer.
#[derive(Clone, Debug)]
pub(super) enum Flaw {
    /// There is nothing that is signed.
    Unsigned(&'static str),
    /// It cannot be told.
    Unknown(String),
}

/// A resource and what is signed of it.
pub(super) struct SignedResource<'a> {
    object: &'a Value,
    domain: &'a str,
    ignored: &'a IgnoredFields,
    content: OnceCell<Result<Content, Flaw>>,
}

/// The signed bytes, and how the resource differs from them.
#[derive(Debug)]
struct Content {
    bytes: Vec<u8>,
    differences: Vec<Difference>,
}

impl<'a> SignedResource<'a> {
    pub(super) fn new(object: &'a Value, domain: &'a str, ignored: &'a IgnoredFields) -> Self {
        Self { object, domain, ignored, content: OnceCell::new() }
    }

    /// An annotation by its full name.
    pub(super) fn annotation(&self, name: &str) -> Option<&'a str> {
        self.object.dig(["metadata", "annotations", name]).and_then(Value::as_str)
    }

    /// An annotation of the domain of signatures.
    pub(super) fn part(&self, name: &str) -> Option<&'a str> {
        self.annotation(&format!("{}/{name}", self.domain))
    }

    /// How the resource differs from what the key's owner signed.
    pub(super) fn verify(&self, key: &key::Key) -> Result<&[Difference], Flaw> {
        let content = self.content.get_or_init(|| self.content()).as_ref().map_err(Clone::clone)?;
        if self.part("signature").is_none() {
            return Err(Flaw::Unsigned("signature not found"));
        }
        let key = key.as_ref().map_err(|why| Flaw::Unknown(why.clone()))?;
        self.signature(key, &content.bytes).map_err(Flaw::Unknown)?;
        Ok(&content.differences)
    }

    fn content(&self) -> Result<Content, Flaw> {
        let text = self.part("message").ok_or(Flaw::Unsigned("message not found"))?;
        let bytes = message::signed_bytes(text).map_err(Flaw::Unknown)?;
        let manifests = message::manifests(&bytes).map_err(Flaw::Unknown)?;
        let ignored = self.ignored.of(self.object);
        let alike = |manifests| most_alike(manifests, self.object, &ignored);
        let candidates = candidates(&manifests, self.object, alike);
        let mut found = candidates.iter().map(|manifest| differences(manifest, self.object, &ignored, MAX_DIFFERENCES));
        let first = found.next().ok_or(Flaw::Unsigned("the signed message has no manifest of this kind"))?;
        let matching = first.is_empty() || found.any(|differences| differences.is_empty());
        Ok(Content { bytes, differences: if matching { Vec::new() } else { first } })
    }

    /// Looks for a signature that was made with the key.
    fn signature(&self, key: &PublicKey, message: &[u8]) -> Result<(), String> {
        let numbered = |name: &str, at: usize| match at {
            0 => self.part(name),
            at => self.part(&format!("{name}_{at}")),
        };
        let mut certified = false;
        for at in 0.. {
            let Some(signature) = numbered("signature", at) else { break };
            if at == MAX_SIGNATURES {
                return Err(format!("more than {MAX_SIGNATURES} signatures, none of the first made with this key"));
            }
            if key::is_signed(key, message, signature) {
                return Ok(());
            }
            let given = |name| numbered(name, at).is_some_and(|text| !text.is_empty());
            certified |= given("certificate") || given("bundle");
        }
        Err(if certified {
            "no signature was made with this key; those with a certificate or a bundle need the transparency log, \
             which cannot be asked offline"
                .into()
        } else {
            "no signature was made with this key".into()
        })
    }
}

/// The manifests that may be the one of the object: that of its name, or else those that are most alike.
fn candidates<'m>(
    manifests: &'m [Value],
    object: &Value,
    most_alike: impl Fn(Vec<&'m Value>) -> Vec<&'m Value>,
) -> Vec<&'m Value> {
    let of_kind = |manifest: &&Value| manifest.get("kind").is_some() && manifest.get("kind") == object.get("kind");
    let of_kind: Vec<&Value> = manifests.iter().filter(of_kind).collect();
    let named: Vec<&Value> = of_kind.iter().copied().filter(|manifest| name(manifest) == name(object)).collect();
    let written = |manifest: &'m Value| manifest.dig(["metadata", "namespace"]).and_then(Value::as_str);
    let in_namespace = || named.iter().find(|manifest| written(manifest) == Some(namespace(object)));
    match named.as_slice() {
        [] => most_alike(of_kind).into_iter().take(MAX_CANDIDATES).collect(),
        [only] => vec![only],
        [first, ..] => vec![in_namespace().unwrap_or(first)],
    }
}

/// The namespace of a resource, `default` where none is written.
pub(super) fn namespace(object: &Value) -> &str {
    let written = object.dig(["metadata", "namespace"]).and_then(Value::as_str);
    written.filter(|namespace| !namespace.is_empty()).unwrap_or("default")
}

/// API group and name.
fn name(value: &Value) -> (String, String) {
    let group = GroupVersionKind::of(value).unwrap_or_default().group.to_string();
    (group, value.dig(["metadata", "name"]).and_then(Value::as_str).unwrap_or_default().to_owned())
}
