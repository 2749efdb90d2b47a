//! A policy language: which documents are its own, and how they become policies.

use std::fmt;
use std::sync::Arc;

use palisade_model::{Diagnostic, Resource, Source, Value};

use crate::Policy;

/// A document of a policy folder.
pub type PolicyDocument = Resource;

/// What came of loading: policies that can judge, and what was wrong with the others.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Policies in document order.
    pub policies: Vec<Arc<dyn Policy>>,
    /// What could not be used, or not as meant. An error here means that a policy is missing from `policies`.
    pub diagnostics: Vec<Diagnostic>,
}

/// Programs of a policy folder that are text of their own language, with the data they are given.
#[derive(Clone, Debug, Default)]
pub struct Programs {
    /// The files, in order of their paths.
    pub modules: Vec<Arc<Source>>,
    /// Data documents, merged into one object.
    pub data: Value,
    /// Only packages with these names judge; all where empty.
    pub namespaces: Vec<String>,
}

/// A policy language. Each is one line in the table of the command-line crate.
pub trait Language: Send + Sync + fmt::Debug {
    /// A short identifier, such as `kyverno`.
    fn id(&self) -> &'static str;

    /// What it is, in one line.
    fn summary(&self) -> &'static str;

    /// Whether a document is a policy of this language or something its policies need (exceptions, bindings).
    fn claims(&self, document: &PolicyDocument) -> bool;

    /// Compiles the documents that this language claims; they see one another (policy and exception, policy and
    /// binding). `documents` holds only claimed ones, `others` the rest (parameter objects, namespaces).
    fn load(&self, documents: &[PolicyDocument], others: &[PolicyDocument]) -> Loaded;

    /// Endings of the files that hold programs of this language, such as `rego`; none where policies are objects.
    fn extensions(&self) -> &'static [&'static str] {
        &[]
    }

    /// Compiles programs; they see one another.
    fn load_programs(&self, programs: &Programs) -> Loaded {
        let _ = programs;
        Loaded::default()
    }
}
