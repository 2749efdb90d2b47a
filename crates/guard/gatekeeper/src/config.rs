//! `Config`: namespaces that whole processes leave alone.
//!
//! What is synchronised (`spec.sync`) has no meaning here: every object that is at hand can be looked into.

use palisade_cel::admission::{Node, Reader};

use crate::matching::{Target, Wildcard};

/// What a configuration exempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Process {
    /// Validation at admission.
    Webhook,
    /// Mutation at admission.
    Mutation,
}

/// Namespaces that are exempt, by process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Exemptions {
    validation: Vec<Wildcard>,
    mutation: Vec<Wildcard>,
}

impl Exemptions {
    /// Adds what a `Config` says.
    pub(crate) fn read(&mut self, reader: &mut Reader<'_>) {
        let root = reader.root();
        let Some(spec) = reader.object(&root, "spec") else { return };
        for entry in reader.list(&spec, "match") {
            self.read_entry(reader, &entry);
        }
    }

    fn read_entry(&mut self, reader: &mut Reader<'_>, entry: &Node<'_>) {
        reader.known_fields(entry, &["processes", "excludedNamespaces"]);
        let namespaces: Vec<_> = reader.texts(entry, "excludedNamespaces").into_iter().map(Wildcard).collect();
        let processes = reader.texts(entry, "processes");
        let names = |name: &str| processes.iter().any(|process| &**process == "*" || &**process == name);
        if names("webhook") {
            self.validation.extend(namespaces.clone());
        }
        if names("mutation-webhook") {
            self.mutation.extend(namespaces);
        }
    }

    /// Whether the process leaves the object alone.
    pub(crate) fn exempt(&self, process: Process, target: &Target<'_>) -> bool {
        let name = if target.is_namespace() { target.text("name") } else { target.namespace_name() };
        let wildcards = match process {
            Process::Webhook => &self.validation,
            Process::Mutation => &self.mutation,
        };
        !name.is_empty() && wildcards.iter().any(|wildcard| wildcard.matches(name))
    }
}
