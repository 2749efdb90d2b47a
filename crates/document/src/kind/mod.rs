//! Kinds of files: who claims a file, and how it is read.
//!
//! A kind claims files by their names and confirms the claim by their first bytes; the first of [`KINDS`] that does both
//! has the file. What no kind claims is left alone, what is claimed and broken is a diagnostic. Adding a kind is a file
//! here, a line in the table, a folder of fixtures (`tests/kinds/ID`) and a section of `docs/guide/kinds.md`, which
//! `cargo x tidy` demands. Deliberately absent: opening files (`palisade-intake`), and what policies make of them.

use std::fmt;
use std::sync::Arc;

use palisade_model::Source;

use crate::document::{Limits, Parsed};
pub(crate) use helm_template::HELM_MARKS;

mod dockerfile;
mod dotenv;
mod hcl;
mod helm_template;
mod ini;
mod json;
mod jsonc;
pub mod kubernetes;
mod kustomization;
mod markdown;
mod properties;
mod template;
#[cfg(test)]
mod tests;
mod toml;
mod xml;
mod yaml;

/// How many first bytes of a file a kind may look at.
pub const HEAD: usize = 64 << 10;

/// A kind of file.
pub trait Kind: fmt::Debug + Send + Sync {
    /// What reports call it, and its fixtures' folder: `helm-template`.
    fn id(&self) -> &'static str;

    /// What it is, in one line.
    fn summary(&self) -> &'static str;

    /// Whether a file that is called so may be of this kind.
    fn claims(&self, name: Name<'_>) -> bool;

    /// Whether a file with such a name is of this kind, by its first bytes, [`HEAD`] at most.
    fn confirms(&self, head: &[u8]) -> bool {
        let _ = head;
        true
    }

    /// How it is read.
    fn form(&self) -> Form;

    /// What to do with files that are text, where something can be done to have them judged.
    fn advice(&self) -> Option<&'static str> {
        None
    }
}

/// How a file is read, and so what policies see of it and where findings point.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// Into documents, whose values policies judge. Findings point to fields: a path, and its span in the file.
    Tree(fn(Arc<Source>, &Limits) -> Parsed),
    /// Into documents as far as it can be, else text: what does not read is no mistake, because it is filled in first or has
    /// more to it than the reader takes.
    Template(fn(Arc<Source>, &Limits) -> Parsed),
    /// Not at all: its text has no values, and only a policy that asks for text judges it. Findings point to ranges of it.
    Text,
}

/// Every kind, in the order in which files are offered to them.
pub const KINDS: &[&dyn Kind] = &[
    &helm_template::HelmTemplate,
    &template::Template,
    &jsonc::Jsonc,
    &kustomization::Kustomization,
    &kubernetes::Kubernetes,
    &yaml::Yaml,
    &json::Json,
    &toml::Toml,
    &hcl::Hcl,
    &xml::Xml,
    &properties::Properties,
    &dotenv::Dotenv,
    &ini::Ini,
    &markdown::Markdown,
    &dockerfile::Dockerfile,
];

/// Whether some kind may claim a file that is called so. What is not known need not be opened.
pub fn is_known(name: &str) -> bool {
    KINDS.iter().any(|kind| kind.claims(Name(name)))
}

/// The kind of a file, by its name and its first bytes.
pub fn of(name: &str, head: &[u8]) -> Option<&'static dyn Kind> {
    let head = head.get(..HEAD).unwrap_or(head);
    KINDS.iter().copied().find(|kind| kind.claims(Name(name)) && kind.confirms(head))
}

/// The kind of documents that were read as YAML or JSON whatever their file is called, such as the standard input.
pub fn of_documents(text: &str) -> &'static dyn Kind {
    let head = text.as_bytes().get(..HEAD).unwrap_or(text.as_bytes());
    if kubernetes::Kubernetes.confirms(head) { &kubernetes::Kubernetes } else { &yaml::Yaml }
}

/// What a file is called, folders included.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a>(&'a str);

impl<'a> Name<'a> {
    /// The name without its folders.
    fn file(self) -> &'a str {
        self.0.rsplit(['/', '\\']).next().unwrap_or_default()
    }

    /// Whether it ends with one of `extensions`, which are written without the dot and in lower case.
    fn has_extension(self, extensions: &[&str]) -> bool {
        let extension = self.file().rsplit_once('.').map(|(_, extension)| extension).unwrap_or_default();
        extensions.iter().any(|known| known.eq_ignore_ascii_case(extension))
    }

    /// Whether a folder that it is in is called so.
    fn is_below(self, folder: &str) -> bool {
        let mut parts = self.0.rsplit(['/', '\\']);
        parts.next();
        parts.any(|part| part == folder)
    }
}

/// Whether `text` stands somewhere in `head`.
fn contains(head: &[u8], text: &str) -> bool {
    memchr::memmem::find(head, text.as_bytes()).is_some()
}
