//! `validate.manifests`: whose signature a resource must carry, and what may differ from what was signed.

use palisade_model::Str;

use super::{Node, Reader};
use crate::legacy::codes;

/// How deep attestors may be nested.
const MAX_NESTING: usize = 16;

/// The body of a `manifests` rule.
#[derive(Clone, Debug, Default)]
pub struct Manifests {
    /// Sets of attestors, each of which must be satisfied.
    pub attestors: Vec<AttestorSet>,
    /// The domain of the annotations that carry message and signatures; empty for the default.
    pub annotation_domain: Str,
    /// What may differ.
    pub ignore_fields: Vec<FieldBinding>,
    /// An image that holds the signed manifests; empty where annotations do.
    pub repository: Str,
}

/// Attestors of which some must have signed.
#[derive(Clone, Debug, Default)]
pub struct AttestorSet {
    /// How many; all where absent or 0.
    pub count: Option<usize>,
    /// The attestors.
    pub entries: Vec<Attestor>,
}

/// Somebody who may have signed.
#[derive(Clone, Debug)]
pub struct Attestor {
    /// How the signature is checked.
    pub authority: Authority,
    /// Annotations that the resource must have.
    pub annotations: Vec<(Str, Str)>,
    /// An image that holds the signed manifests; empty for the rule's setting.
    pub repository: Str,
}

/// What makes a signature valid.
#[derive(Clone, Debug)]
pub enum Authority {
    /// Public keys, as written.
    Keys(Str),
    /// A certificate.
    Certificates,
    /// An identity that Fulcio vouches for.
    Keyless,
    /// Other attestors.
    Nested(AttestorSet),
    /// Nothing is given.
    Missing,
}

/// Fields of some objects.
#[derive(Clone, Debug, Default)]
pub struct FieldBinding {
    /// Dotted fields, with wildcards.
    pub fields: Vec<Str>,
    /// Which objects; all where empty.
    pub objects: Vec<ObjectReference>,
}

/// A description of objects; what is empty matches all.
#[derive(Clone, Debug, Default)]
pub struct ObjectReference {
    /// API group.
    pub group: Str,
    /// API version.
    pub version: Str,
    /// Kind.
    pub kind: Str,
    /// Name.
    pub name: Str,
    /// Namespace.
    pub namespace: Str,
}

impl Manifests {
    pub(super) fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        reader.known_fields(node, &["attestors", "annotationDomain", "ignoreFields", "dryRun", "repository"]);
        let sets = reader.list(node, "attestors");
        if sets.is_empty() {
            let message = "`manifests` needs `attestors`";
            reader.error(codes::INVALID_RULE, &node.path, message, "name the public keys that may have signed");
        }
        Self {
            attestors: sets.iter().map(|set| AttestorSet::read(reader, set, 0)).collect(),
            annotation_domain: reader.text(node, "annotationDomain").unwrap_or_default(),
            ignore_fields: reader.list(node, "ignoreFields").iter().map(|it| FieldBinding::read(reader, it)).collect(),
            repository: reader.text(node, "repository").unwrap_or_default(),
        }
    }
}

impl AttestorSet {
    fn read(reader: &mut Reader<'_>, node: &Node<'_>, nesting: usize) -> Self {
        reader.known_fields(node, &["count", "entries"]);
        let count = node.get("count").and_then(|count| {
            let number = count.value.as_i64().and_then(|number| usize::try_from(number).ok());
            if number.is_none() {
                let message = "`count` must be a whole number from 1";
                reader.error(codes::WRONG_TYPE, &count.path, message, "say how many entries must have signed");
            }
            number
        });
        let entries = reader.list(node, "entries");
        Self { count, entries: entries.iter().map(|entry| Attestor::read(reader, entry, nesting)).collect() }
    }
}

impl Attestor {
    fn read(reader: &mut Reader<'_>, node: &Node<'_>, nesting: usize) -> Self {
        let known = ["keys", "certificates", "keyless", "attestor", "annotations", "repository", "signatureAlgorithm"];
        reader.known_fields(node, &known);
        Self {
            authority: Authority::read(reader, node, nesting),
            annotations: reader.text_map(node, "annotations"),
            repository: reader.text(node, "repository").unwrap_or_default(),
        }
    }
}

impl Authority {
    /// Reads what is given; a nested set comes first, as with Kyverno.
    fn read(reader: &mut Reader<'_>, node: &Node<'_>, nesting: usize) -> Self {
        if let Some(nested) = node.get("attestor") {
            if nesting < MAX_NESTING {
                return Self::Nested(AttestorSet::read(reader, &nested, nesting + 1));
            }
            let message = format!("attestors are nested more than {MAX_NESTING} deep");
            reader.error(codes::INVALID_RULE, &nested.path, message, "write fewer levels");
        }
        if let Some(keys) = node.get("keys") {
            let known = ["publicKeys", "signatureAlgorithm", "kms", "secret", "rekor", "ctlog"];
            reader.known_fields(&keys, &known);
            return Self::Keys(reader.text(&keys, "publicKeys").unwrap_or_default());
        }
        match (node.get("certificates"), node.get("keyless")) {
            (Some(_), _) => Self::Certificates,
            (None, Some(_)) => Self::Keyless,
            (None, None) => Self::Missing,
        }
    }
}

impl FieldBinding {
    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        reader.known_fields(node, &["fields", "objects"]);
        let objects = reader.list(node, "objects");
        Self {
            fields: reader.texts(node, "fields"),
            objects: objects.iter().map(|object| ObjectReference::read(reader, object)).collect(),
        }
    }
}

impl ObjectReference {
    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        reader.known_fields(node, &["group", "version", "kind", "name", "namespace"]);
        let mut text = |key: &str| reader.text(node, key).unwrap_or_default();
        Self {
            group: text("group"),
            version: text("version"),
            kind: text("kind"),
            name: text("name"),
            namespace: text("namespace"),
        }
    }
}
