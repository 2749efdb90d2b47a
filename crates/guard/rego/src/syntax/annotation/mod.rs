//! Metadata blocks: comments that begin with `# METADATA`, read as YAML.
//!
//! This file finds the blocks and what they are about; [`fields`] checks what they say. Places within a block are
//! places in the policy, so that a mistake in its YAML is shown where it is.

mod fields;

use std::sync::Arc;

use palisade_document::{Limits, parse_yaml};
use palisade_model::{Diagnostic, Location, Source, Span, SpanTree, Value};

use super::ast::{Annotation, Scope};
use super::codes;

/// What a block can precede.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Package,
    Import,
    /// The rule of this number.
    Rule(usize),
}

/// Reads the blocks among the comments; targets are in order of their places.
pub(super) fn read(
    source: &Arc<Source>,
    comments: &[Span],
    targets: &[(u32, Target)],
) -> (Vec<Annotation>, Vec<Diagnostic>) {
    let (mut annotations, mut diagnostics) = (Vec::new(), Vec::new());
    let mut rest = comments;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if !opens_block(source, *first) {
            continue;
        }
        let length = block_length(source, *first, after);
        let (lines, after) = after.split_at_checked(length).unwrap_or((after, &[]));
        rest = after;
        let block = Block { source, first: *first, lines };
        match block.annotation(targets) {
            Ok(annotation) => annotations.push(annotation),
            Err(mut complaints) => diagnostics.append(&mut complaints),
        }
    }
    (annotations, diagnostics)
}

fn opens_block(source: &Source, comment: Span) -> bool {
    let text = source.slice(comment);
    let begins = text.strip_prefix('#').is_some_and(|text| text.trim_start().starts_with("METADATA"));
    begins && begins_line(source, comment)
}

fn begins_line(source: &Source, comment: Span) -> bool {
    let before = (comment.start as usize).checked_sub(1);
    before.is_none_or(|before| source.text().as_bytes().get(before) == Some(&b'\n'))
}

/// How many of the comments directly follow the first one.
fn block_length(source: &Source, first: Span, after: &[Span]) -> usize {
    let mut end = first.end;
    after
        .iter()
        .take_while(|comment| {
            let next_line = comment.start == end + 1 && !opens_block(source, **comment);
            end = comment.end;
            next_line
        })
        .count()
}

/// A block: the comment with `METADATA`, and those after it.
struct Block<'a> {
    source: &'a Arc<Source>,
    first: Span,
    lines: &'a [Span],
}

/// A value with its places.
#[derive(Clone, Copy)]
struct Node<'a> {
    value: &'a Value,
    tree: &'a SpanTree,
}

impl Block<'_> {
    fn annotation(&self, targets: &[(u32, Target)]) -> Result<Annotation, Vec<Diagnostic>> {
        let (value, tree) = self.yaml()?;
        let fields = fields::Fields::read(self, Node { value: &value, tree: &tree })?;
        let end = self.lines.last().map_or(self.first.end, |line| line.end);
        let target = targets.iter().find(|(start, _)| *start >= end).map(|(_, target)| *target);
        let scope = self.scope(&fields, target).map_err(|diagnostic| vec![diagnostic])?;
        let rule = match target {
            Some(Target::Rule(rule)) => Some(rule),
            _ => None,
        };
        let span = Span { start: self.first.start, end };
        Ok(Annotation { scope, rule, value: fields.into_value(scope), span })
    }

    /// The block's YAML, in a text of the same length in which the number signs are blanks.
    fn yaml(&self) -> Result<(Value, SpanTree), Vec<Diagnostic>> {
        let missing = || vec![self.wrong(self.first, "expected METADATA block, found whitespace", MISSING)];
        let (Some(first), Some(last)) = (self.lines.first(), self.lines.last()) else { return Err(missing()) };
        let text: String = self
            .source
            .slice(Span { start: first.start, end: last.end })
            .split_inclusive('\n')
            .flat_map(|line| [" ", line.strip_prefix('#').unwrap_or(line)])
            .collect();
        let parsed = parse_yaml(Source::new(self.source.name(), text), &Limits::default());
        if !parsed.diagnostics.is_empty() {
            return Err(parsed.diagnostics.iter().map(|diagnostic| self.moved(diagnostic, first.start)).collect());
        }
        let document = parsed.documents.into_iter().next().ok_or_else(missing)?;
        let mut tree = Arc::unwrap_or_clone(document.spans);
        shift(&mut tree, first.start);
        Ok((document.value, tree))
    }

    /// A complaint about the YAML at its place in the policy.
    fn moved(&self, diagnostic: &Diagnostic, by: u32) -> Diagnostic {
        let span = diagnostic.labels.first().map_or(self.first, |label| label.location.span);
        let span = Span { start: span.start + by, end: span.end + by };
        let mut moved = self.wrong(span, &format!("yaml: {}", diagnostic.message), "");
        moved.help.clone_from(&diagnostic.help);
        moved
    }

    fn scope(&self, fields: &fields::Fields, target: Option<Target>) -> Result<Scope, Diagnostic> {
        let span = fields.scope_span.unwrap_or(self.first);
        let scope = match (fields.scope.as_deref().unwrap_or(""), target) {
            ("", Some(Target::Package)) | ("package", _) => Scope::Package,
            ("", Some(Target::Rule(_))) if fields.entrypoint => Scope::Document,
            ("", Some(Target::Rule(_))) | ("rule", _) => Scope::Rule,
            ("document", _) => Scope::Document,
            ("subpackages", _) => Scope::Subpackages,
            (other, target) => {
                let found = if other.is_empty() && target.is_some() { "import" } else { other };
                let message = format!("invalid annotation scope `{found}`");
                let help = "write the block directly before a package or rule; \
                            scopes are `rule`, `document`, `package` and `subpackages`";
                return Err(self.wrong(span, &message, help));
            }
        };
        let (wanted, fits) = match scope {
            Scope::Rule | Scope::Document => ("rule", matches!(target, Some(Target::Rule(_)))),
            Scope::Package | Scope::Subpackages => ("package", target == Some(Target::Package)),
        };
        if !fits {
            let found = match target {
                Some(Target::Package) => "package",
                Some(Target::Import) => "import",
                Some(Target::Rule(_)) => "rule",
                None => "nothing",
            };
            let name = fields.scope.as_deref().unwrap_or(wanted);
            let message = format!("annotation scope `{name}` must be applied to {wanted} (have {found})");
            return Err(self.wrong(span, &message, "move the block directly before what it is about"));
        }
        if fields.entrypoint && matches!(scope, Scope::Rule | Scope::Subpackages) {
            let message = "annotation entrypoint applied to non-document or package scope";
            return Err(self.wrong(span, message, "delete `scope`; an entry point is the whole document of a name"));
        }
        Ok(scope)
    }

    fn wrong(&self, span: Span, message: &str, help: &str) -> Diagnostic {
        let location = Location { source: Arc::clone(self.source), span };
        let diagnostic = Diagnostic::error(codes::METADATA, message).at(location, "");
        if help.is_empty() { diagnostic } else { diagnostic.help(help) }
    }
}

const MISSING: &str = "write the fields as YAML on the comment lines directly below, such as `# title: ..`";

/// Moves all places; deeply nested trees are refused by the reader.
fn shift(tree: &mut SpanTree, by: u32) {
    tree.span = Span { start: tree.span.start + by, end: tree.span.end + by };
    for entry in &mut tree.children {
        entry.key = Span { start: entry.key.start + by, end: entry.key.end + by };
        shift(&mut entry.tree, by);
    }
}
