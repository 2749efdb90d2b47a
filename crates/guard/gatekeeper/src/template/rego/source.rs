//! The texts of a template's Rego and where they stand in its file.

use std::sync::Arc;

use palisade_cel::admission::{Node, Reader, within_scalar};
use palisade_model::{Diagnostic, Label, Level, Location, Source, Span, Str};
use palisade_rego::machine::EvalError;
use palisade_rego::syntax::{ast::Module, ast::Version, parse};

use super::PACKAGE;
use crate::codes;

/// The modules of a template: its own first, then its libraries.
#[derive(Debug)]
pub(super) struct Sources(Vec<Embedded>);

/// A module and the scalar that it is written in.
#[derive(Debug)]
struct Embedded {
    source: Arc<Source>,
    scalar: Option<Location>,
}

impl Sources {
    /// Reads and parses `rego` and `libs`.
    pub(super) fn read(reader: &mut Reader<'_>, source: &Node<'_>) -> Option<(Self, Vec<Module>)> {
        let version =
            match reader.word(source, "version", &[("v0", Version::V0), ("v1", Version::V1), ("", Version::V0)]) {
                Some(version) => version,
                None => Version::V0,
            };
        let template = reader.document().name().to_owned();
        let mut texts = vec![(reader.required_text(source, "rego")?, source.path.child("rego"))];
        for node in reader.list(source, "libs") {
            texts.extend(node.value.as_shared_str().map(|text| (Str::clone(text), node.path.clone())));
        }
        let mut sources = Self(Vec::new());
        let mut modules = Vec::new();
        let mut broken = false;
        for (index, (text, path)) in texts.iter().enumerate() {
            let name = if index == 0 { template.clone() } else { format!("{template} lib {index}") };
            let source = Source::new(name, text.clone());
            sources.0.push(Embedded { source: source.clone(), scalar: reader.locate(path) });
            let (module, diagnostics) = parse(source, version);
            broken |= module.is_none() || diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error);
            for diagnostic in diagnostics {
                reader.report(sources.place(diagnostic));
            }
            modules.extend(module);
        }
        if let Some(module) = modules.first_mut() {
            module.package = vec![PACKAGE.into()];
        }
        (!broken).then_some((sources, modules))
    }

    /// A diagnostic about a module, with its places in the template's file.
    pub(super) fn place(&self, mut diagnostic: Diagnostic) -> Diagnostic {
        for Label { location, .. } in &mut diagnostic.labels {
            *location = self.locate(location);
        }
        diagnostic
    }

    /// An error about the module with this number, at `span` of it.
    pub(super) fn error(&self, index: usize, span: Span, message: String, help: &str) -> Diagnostic {
        let diagnostic = Diagnostic::error(codes::INVALID_REGO, message).help(help);
        match self.0.get(index) {
            Some(embedded) => self.place(diagnostic.at(Location { source: embedded.source.clone(), span }, "")),
            None => diagnostic,
        }
    }

    /// Why an evaluation failed, with the place in the template's file.
    pub(super) fn explain(&self, error: &EvalError) -> String {
        let what = match &error.rule {
            Some(rule) => format!("{}: {} while evaluating `{rule}`", error.code.as_str(), error.message),
            None => format!("{}: {}", error.code.as_str(), error.message),
        };
        match &error.place {
            Some((source, place)) => {
                let location = self.locate(&Location { source: source.clone(), span: place.span });
                format!("{what} ({location})")
            }
            None => what,
        }
    }

    fn locate(&self, location: &Location) -> Location {
        let embedded = self.0.iter().find(|embedded| Arc::ptr_eq(&embedded.source, &location.source));
        match embedded.and_then(|embedded| Some((embedded.scalar.clone()?, &embedded.source))) {
            Some((scalar, source)) => within_scalar(scalar, source.text(), location.span.range()),
            None => location.clone(),
        }
    }
}
