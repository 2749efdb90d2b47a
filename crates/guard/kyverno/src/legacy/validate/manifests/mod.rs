//! `manifests`: the resource is what somebody signed (k8s-manifest-sigstore), as far as that can be told offline.
//!
//! A resource carries the manifest that was signed and the signatures in annotations. Each set of attestors must be
//! satisfied: enough of its public keys have signed, and the resource does not differ from the signed manifest.
//! A signature that does not verify is an error verdict and not a failure, because it is one with Kyverno.
//!
//! Deliberately absent: certificates, keyless signatures and their transparency log, signed manifests in images, and
//! asking a cluster for a dry run (`dryRun` changes nothing, as where Kyverno may not create the object).

mod comparison;
mod ignore;
mod key;
mod message;
mod signed;

use palisade_gotext::go_json;
use palisade_model::{Path, Str, Value, Verdict, json};

use super::{Answer, Judge};
use crate::legacy::spec::{Attestor, AttestorSet, Authority, Manifests};
use comparison::Difference;
use ignore::IgnoredFields;
use key::Key;
use signed::{Flaw, SignedResource};

/// The domain of the annotations where the rule names none.
const DOMAIN: &str = "cosign.sigstore.dev";

const CERTIFICATES: &str = "signatures by certificate cannot be verified yet: certificate chains arrive in a later \
     release of Palisade; name the public key with `keys.publicKeys`";
const KEYLESS: &str = "keyless signatures cannot be verified yet: Fulcio identities and the transparency log arrive in \
     a later release of Palisade; name a public key with `keys.publicKeys`";
const MISSING: &str = "the entry names nobody: give it `keys.publicKeys`";
const IN_IMAGE: &str = "the signed manifest is in an image, which cannot be fetched offline; keep it in annotations";

/// A `manifests` block made ready.
#[derive(Debug)]
pub(crate) struct ManifestsRule {
    sets: Vec<Set>,
    domain: String,
    ignored: IgnoredFields,
    in_image: bool,
}

/// Attestors of which some must have signed.
#[derive(Debug)]
struct Set {
    required: usize,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    authority: Ready,
    annotations: Vec<(Str, Str)>,
    in_image: bool,
}

/// An authority made ready.
#[derive(Debug)]
enum Ready {
    Key(Box<Key>),
    Nested(Set),
    Unsupported(&'static str, &'static str),
}

impl ManifestsRule {
    pub(super) fn compile(spec: &Manifests) -> Self {
        let domain = if spec.annotation_domain.is_empty() { DOMAIN } else { &*spec.annotation_domain };
        Self {
            sets: spec.attestors.iter().map(Set::compile).collect(),
            domain: domain.to_owned(),
            ignored: IgnoredFields::compile(&spec.ignore_fields, domain),
            in_image: !spec.repository.is_empty(),
        }
    }
}

impl Set {
    fn compile(spec: &AttestorSet) -> Self {
        let entries: Vec<Entry> = spec.entries.iter().flat_map(Entry::compile).collect();
        let required = spec.count.filter(|count| *count > 0).unwrap_or(entries.len());
        Self { required, entries }
    }
}

impl Entry {
    /// The entries that an attestor stands for: several keys are several entries.
    fn compile(spec: &Attestor) -> Vec<Self> {
        let authorities = match &spec.authority {
            Authority::Keys(text) => key::keys(text).into_iter().map(|key| Ready::Key(Box::new(key))).collect(),
            Authority::Nested(set) => vec![Ready::Nested(Set::compile(set))],
            Authority::Certificates => vec![Ready::Unsupported(".certificates", CERTIFICATES)],
            Authority::Keyless => vec![Ready::Unsupported(".keyless", KEYLESS)],
            Authority::Missing => vec![Ready::Unsupported("", MISSING)],
        };
        let entry = |authority| Self {
            authority,
            annotations: spec.annotations.clone(),
            in_image: !spec.repository.is_empty(),
        };
        authorities.into_iter().map(entry).collect()
    }
}

/// What attestors have to say.
enum Finding {
    Verified(String),
    Refused(String),
    Unknown(String),
}

impl Judge<'_, '_> {
    pub(super) fn manifests(&self, rule: &ManifestsRule) -> Option<Answer> {
        if self.context.is_delete() {
            return None;
        }
        if self.admission.dry_run {
            return Some(Answer::new(Verdict::Pass, "allowed because it is a dry run"));
        }
        let object = self.context.object();
        let mut inquiry = Inquiry {
            resource: SignedResource::new(&object, &rule.domain, &rule.ignored),
            in_image: rule.in_image,
            paths: Vec::new(),
        };
        Some(inquiry.answer(&rule.sets))
    }
}

/// Asking attestors about one resource.
struct Inquiry<'a> {
    resource: SignedResource<'a>,
    in_image: bool,
    /// Fields that differ from what was signed.
    paths: Vec<Path>,
}

impl Inquiry<'_> {
    fn answer(&mut self, sets: &[Set]) -> Answer {
        let mut verified = Vec::new();
        for (index, set) in sets.iter().enumerate() {
            match self.ask(set, &format!(".attestors[{index}]")) {
                Finding::Verified(message) => verified.push(message),
                Finding::Refused(message) => {
                    return Answer::new(Verdict::Fail, message).at(std::mem::take(&mut self.paths));
                }
                Finding::Unknown(why) => return Answer::error("error occurred during manifest verification", why),
            }
        }
        Answer::new(Verdict::Pass, format!("verified manifest signatures; {}", verified.join(",")))
    }

    /// Asks until enough have signed. Where they have not, what cannot be told weighs more than what is refused.
    fn ask(&mut self, set: &Set, place: &str) -> Finding {
        let (mut verified, mut refused, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
        for (index, entry) in set.entries.iter().enumerate() {
            match self.ask_entry(entry, &format!("{place}.entries[{index}]")) {
                Finding::Verified(message) => verified.push(message),
                Finding::Refused(message) => refused.push(message),
                Finding::Unknown(why) => unknown.push(why),
            }
            if verified.len() >= set.required {
                return Finding::Verified(tally("succeeded", verified.len(), set, &verified));
            }
        }
        if unknown.is_empty() {
            return Finding::Refused(tally("failed", verified.len(), set, &refused));
        }
        Finding::Unknown(unknown.join("; "))
    }

    fn ask_entry(&mut self, entry: &Entry, place: &str) -> Finding {
        if let Ready::Nested(set) = &entry.authority {
            let place = format!("{place}.attestor");
            return match self.ask(set, &place) {
                Finding::Unknown(why) => Finding::Unknown(format!("failed to verify signature; {place}: {why}")),
                other => other,
            };
        }
        let lacks = |(name, value): &&(Str, Str)| self.resource.annotation(name).unwrap_or_default() != &**value;
        if let Some((name, value)) = entry.annotations.iter().find(lacks) {
            return Finding::Unknown(format!("{place}: the resource lacks the annotation `{name}: {value}`"));
        }
        self.ask_authority(entry, place)
    }

    fn ask_authority(&mut self, entry: &Entry, place: &str) -> Finding {
        let key = match &entry.authority {
            Ready::Key(key) => key,
            Ready::Unsupported(part, why) => return Finding::Unknown(format!("{place}{part}: {why}")),
            Ready::Nested(set) => return self.ask(set, place),
        };
        let place = format!("{place}.keys");
        if self.in_image || entry.in_image || self.resource.part("resourceBundleRef").is_some() {
            return Finding::Unknown(format!("{place}: {IN_IMAGE}"));
        }
        match self.resource.verify(key) {
            Ok([]) => Finding::Verified("signed by a valid signer".into()),
            Ok(differences) => {
                self.paths = differences.iter().map(|difference| difference.path.clone()).collect();
                Finding::Refused(format!("{place}: failed to verify signature. diff found; {}", shown(differences)))
            }
            Err(Flaw::Unsigned(why)) => Finding::Refused(format!("{place}: YAML manifest not found: {why}")),
            Err(Flaw::Unknown(why)) => Finding::Unknown(format!("{place}: {why}")),
        }
    }
}

fn tally(result: &str, verified: usize, set: &Set, messages: &[String]) -> String {
    let required = set.required;
    let messages = messages.join(",");
    format!("manifest verification {result}; verifiedCount {verified}; requiredCount {required}; message {messages}")
}

fn shown(differences: &[Difference]) -> String {
    let items: Vec<Value> = differences.iter().map(Difference::to_value).collect();
    go_json::to_string(&json!({"items": items}))
}

#[cfg(test)]
mod tests;
