//! What a suite says.

use palisade_cel::admission::{Node, Reader};
use palisade_model::{Diagnostic, Resource};

use super::assertion::Assertion;
use super::fields::{READER, known, required, text};
use crate::codes;

/// A suite.
#[derive(Debug, Default)]
pub(super) struct Suite {
    pub(super) tests: Vec<Test>,
    pub(super) skip: bool,
}

/// A template with a constraint, and objects to put before them.
#[derive(Debug, Default)]
pub(super) struct Test {
    pub(super) name: String,
    pub(super) template: String,
    pub(super) constraint: String,
    pub(super) expansion: Option<String>,
    pub(super) cases: Vec<Case>,
    /// Whether the constraint is expected not to fit the template.
    pub(super) invalid: bool,
    pub(super) skip: bool,
}

/// An object and what is expected of it.
#[derive(Debug, Default)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) object: String,
    pub(super) inventory: Vec<String>,
    pub(super) assertions: Vec<Assertion>,
    pub(super) skip: bool,
}

impl Suite {
    /// Reads a suite; `None` where it cannot be used, which a diagnostic explains.
    pub(super) fn read(document: &Resource, diagnostics: &mut Vec<Diagnostic>) -> Option<Self> {
        let mut reader = Reader::with_codes(document, READER);
        let root = reader.root();
        known(&mut reader, &root, &["apiVersion", "kind", "metadata", "tests", "skip"]);
        let tests = reader.list(&root, "tests");
        if tests.is_empty() {
            reader.missing(&root, "tests");
        }
        let tests = tests.iter().map(|node| Test::read(&mut reader, node)).collect();
        let suite = Self { tests, skip: reader.flag(&root, "skip").unwrap_or_default() };
        let failed = reader.failed();
        diagnostics.extend(reader.into_diagnostics());
        (!failed).then_some(suite)
    }
}

impl Test {
    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        known(reader, node, &["name", "template", "constraint", "expansion", "cases", "invalid", "skip"]);
        let mut test = Self {
            name: text(reader, node, "name"),
            template: required(reader, node, "template"),
            constraint: required(reader, node, "constraint"),
            expansion: reader.text(node, "expansion").map(|path| path.to_string()),
            cases: Vec::new(),
            invalid: reader.flag(node, "invalid").unwrap_or_default(),
            skip: reader.flag(node, "skip").unwrap_or_default(),
        };
        let cases = reader.list(node, "cases");
        test.cases = cases.iter().map(|case| Case::read(reader, case)).collect();
        match (test.cases.is_empty(), test.invalid) {
            (true, false) => reader.missing(node, "cases"),
            (false, true) => {
                let help = "remove the cases, or `invalid`";
                let message = "a test of an invalid constraint has no cases";
                reader.error(codes::INVALID_SUITE, &node.path.child("cases"), message, help);
            }
            _ => {}
        }
        test
    }
}

impl Case {
    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        known(reader, node, &["name", "object", "inventory", "assertions", "skip"]);
        let assertions = reader.list(node, "assertions");
        if assertions.is_empty() {
            reader.missing(node, "assertions");
        }
        Self {
            name: text(reader, node, "name"),
            object: required(reader, node, "object"),
            inventory: reader.texts(node, "inventory").iter().map(ToString::to_string).collect(),
            assertions: assertions.iter().map(|node| Assertion::read(reader, node)).collect(),
            skip: reader.flag(node, "skip").unwrap_or_default(),
        }
    }
}
