//! Modules: the package, imports, and going on after a mistake.

use std::sync::Arc;

use palisade_model::{Span, Str};
use palisade_rego_value::Value;

use super::super::annotation::{self, Target};
use super::super::ast::{Import, Module, TermKind, Version};
use super::super::codes;
use super::super::token::Kind;
use super::{Keywords, Parsed, Parser};

/// Reads a whole file.
pub(super) fn module(parser: &mut Parser<'_>) -> Option<Module> {
    let mut module = parser.package().map_err(|fail| parser.report(fail)).ok();
    if module.is_none() {
        parser.recover();
    }
    let mut rest = module.take().unwrap_or_else(|| parser.empty());
    let named = !rest.package.is_empty();
    let mut loose = Vec::new();
    let mut targets = vec![(rest.package_span.start, Target::Package)];
    while !parser.at(Kind::End) {
        let before = parser.at;
        parser.depth = 0;
        let target = if parser.at(Kind::Import) && !parser.keyword_is_name() {
            Target::Import
        } else {
            Target::Rule(rest.rules.len())
        };
        targets.push((parser.start(), target));
        if let Err(fail) = parser.statement(&mut rest, &mut loose) {
            parser.report(fail);
            parser.at = parser.at.max(before + 1);
            parser.recover();
        }
    }
    rest.version = parser.version;
    if parser.version == Version::V1 {
        parser.diagnostics.append(&mut loose);
    }
    rest.comments = std::mem::take(&mut parser.comments);
    let (annotations, mut complaints) = annotation::read(parser.source, &rest.comments, &targets);
    rest.annotations = annotations;
    parser.diagnostics.append(&mut complaints);
    named.then_some(rest)
}

impl Parser<'_> {
    fn empty(&self) -> Module {
        Module {
            source: Arc::clone(self.source),
            version: self.version,
            package: Vec::new(),
            package_span: Span::default(),
            imports: Vec::new(),
            rules: Vec::new(),
            annotations: Vec::new(),
            comments: Vec::new(),
        }
    }

    fn package(&mut self) -> Parsed<Module> {
        if !self.accept(Kind::Package) {
            let span = self.token(0).span;
            let help = "begin the file with `package` and a name";
            let message = if self.at(Kind::End) { "empty module" } else { "package expected" };
            return Err(self.error(codes::PACKAGE, span, message, help));
        }
        let start = self.start();
        let package = self.path()?;
        Ok(Module { package, package_span: self.span_from(start), ..self.empty() })
    }

    /// A path of names and texts: `a.b["c"]`.
    fn path(&mut self) -> Parsed<Vec<Str>> {
        let first = self.token(0);
        if self.peek() != Kind::Name && !first.kind.is_keyword() {
            return Err(self.unexpected("identifier"));
        }
        self.at += 1;
        let mut path = vec![self.name(self.slice(first.span))];
        for part in self.parts(&mut 0)? {
            let TermKind::Scalar(Value::String(name)) = part.kind else {
                let help = "the parts of a path are names and texts in quotes";
                return Err(self.error(codes::SYNTAX, part.span, "unexpected token: expecting string", help));
            };
            path.push(name);
        }
        Ok(path)
    }

    fn statement(&mut self, module: &mut Module, loose: &mut Vec<palisade_model::Diagnostic>) -> Parsed<()> {
        if !self.keyword_is_name() {
            match self.peek() {
                Kind::Package => {
                    let help = "a file has one package; move what follows into a file of its own";
                    return Err(self.error(codes::PACKAGE, self.token(0).span, "unexpected package", help));
                }
                Kind::Import => {
                    let import = self.import()?;
                    module.imports.push(import);
                    return Ok(());
                }
                _ => {}
            }
        }
        self.rule(&mut module.rules, loose)
    }

    fn import(&mut self) -> Parsed<Import> {
        let start = self.start();
        self.at += 1;
        let path = self.path()?;
        let path_span = self.span_from(start);
        let alias = if self.accept(Kind::As) { Some(self.alias()?) } else { None };
        let last = path.last().map_or("", |part| &**part);
        match path.first().map(|part| &**part) {
            Some("data" | "input") if alias.is_none() && self.is_reserved(last) => {
                let message = format!("unexpected import path, must not end with a keyword, got: {last}");
                return Err(self.error(codes::IMPORT, path_span, message, "add `as` with a name"));
            }
            Some("data" | "input") => {}
            Some(root @ ("rego" | "future")) if alias.is_some() => {
                let message = format!("`{root}` imports cannot be aliased");
                return Err(self.error(codes::IMPORT, path_span, message, "delete `as` and the name"));
            }
            Some("rego") => self.rego_import(&path, path_span)?,
            Some("future") => self.future_import(&path, path_span)?,
            found => {
                let message = format!(
                    "unexpected import path, must begin with one of: {{data, future, input, rego}}, got: {}",
                    found.unwrap_or_default()
                );
                let help = "write the whole path of the package, such as `import data.lib`";
                return Err(self.error(codes::IMPORT, path_span, message, help));
            }
        }
        let aliased = alias.is_some();
        let name = alias.unwrap_or_else(|| last.into());
        Ok(Import { path, name, aliased, span: self.span_from(start) })
    }

    fn alias(&mut self) -> Parsed<Str> {
        let span = self.token(0).span;
        if !self.at(Kind::Name) {
            return Err(self.unexpected("var"));
        }
        self.at += 1;
        let name = self.slice(span);
        if matches!(name, "data" | "input") {
            let message = format!("unexpected import alias, must not be a reserved name, got: {name}");
            return Err(self.error(codes::IMPORT, span, message, "choose another name"));
        }
        Ok(self.name(name))
    }

    fn is_reserved(&self, word: &str) -> bool {
        match Kind::of_word(word) {
            Kind::If => self.keywords.r#if,
            Kind::In => self.keywords.r#in,
            Kind::Every => self.keywords.every,
            Kind::Contains => self.keywords.contains,
            Kind::LogicalAnd => self.keywords.and,
            Kind::LogicalOr => self.keywords.or,
            other => other.is_keyword(),
        }
    }

    fn rego_import(&mut self, path: &[Str], span: Span) -> Parsed<()> {
        let Keywords { and, or, not, .. } = self.keywords;
        self.keywords = match path {
            [_, version] if **version == *"v1" => Keywords { and, or, not, ..Keywords::of(Version::V1) },
            [_, version] if **version == *"v2" => Keywords::ALL,
            _ => {
                let message = format!("invalid import `{}`, must be one of: `rego.v1`, `rego.v2`", path.join("."));
                return Err(self.error(codes::IMPORT, span, message, "write `import rego.v1`"));
            }
        };
        self.version = Version::V1;
        Ok(())
    }

    fn future_import(&mut self, path: &[Str], span: Span) -> Parsed<()> {
        let word = match path {
            [_, keywords] if **keywords == *"keywords" => {
                self.keywords = Keywords::ALL;
                return Ok(());
            }
            [_, keywords, word] if **keywords == *"keywords" => word,
            _ => {
                let message = "invalid import, must be `future.keywords`";
                return Err(self.error(codes::IMPORT, span, message, "write `import future.keywords`"));
            }
        };
        match &**word {
            "contains" => self.keywords.contains = true,
            "every" => (self.keywords.every, self.keywords.r#in) = (true, true),
            "if" => self.keywords.r#if = true,
            "in" => self.keywords.r#in = true,
            "and" => self.keywords.and = true,
            "or" => self.keywords.or = true,
            "not" => self.keywords.not = true,
            _ => {
                let message = "unexpected keyword, must be one of [and contains every if in not or]";
                return Err(self.error(codes::IMPORT, span, message, "write `import future.keywords` for all of them"));
            }
        }
        Ok(())
    }

    /// Skips to what looks like the next statement: a word at the beginning of a line.
    fn recover(&mut self) {
        while !self.at(Kind::End) && !self.begins_statement() {
            self.at += 1;
        }
    }

    fn begins_statement(&self) -> bool {
        let token = self.token(0);
        let word = token.kind == Kind::Name || token.kind.is_keyword();
        let start = token.span.start as usize;
        let first_of_line = start
            .checked_sub(1)
            .is_none_or(|before| self.source.text().as_bytes().get(before).is_some_and(|byte| *byte == b'\n'));
        word && first_of_line && (self.peek() != Kind::Else || self.keyword_is_name())
    }
}
