//! Places in source text: sources, byte ranges, and the tree that gives every node of a document its range.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::{Path, Segment, Value};

/// A file, a standard input or an inline text that spans point into.
pub struct Source {
    name: String,
    text: Arc<str>,
    line_starts: OnceLock<Vec<usize>>,
}

impl Source {
    /// A source called `name` (a path as the user wrote it, or `<stdin>`) with `text` in UTF-8.
    pub fn new(name: impl Into<String>, text: impl Into<Arc<str>>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into(), line_starts: OnceLock::new() })
    }

    /// The name shown to people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Line and column of a byte offset; offsets past the end give the last position.
    pub fn position(&self, offset: usize) -> Position {
        let starts = self
            .line_starts
            .get_or_init(|| std::iter::once(0).chain(self.text.match_indices('\n').map(|(at, _)| at + 1)).collect());
        let offset = offset.min(self.text.len());
        let line = starts.partition_point(|start| *start <= offset);
        let start = starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(1, |text| text.chars().count() + 1);
        Position { line, column }
    }

    /// The text that `span` covers; empty where it does not fit this source.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({:?}, {} bytes)", self.name, self.text.len())
    }
}

/// A line and a column, both counted from 1; columns count Unicode scalar values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

/// A range of bytes in one source, at most 4 GiB in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span of a byte range; offsets beyond 4 GiB are clamped.
    pub fn new(range: Range<usize>) -> Self {
        let clamp = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self { start: clamp(range.start), end: clamp(range.end) }
    }

    /// As a range for slicing.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Whether it covers nothing.
    pub fn is_empty(self) -> bool {
        self.start >= self.end
    }
}

/// A span together with the source it points into.
#[derive(Clone, Debug)]
pub struct Location {
    /// The source.
    pub source: Arc<Source>,
    /// The bytes within it.
    pub span: Span,
}

impl Location {
    /// Where the span starts.
    pub fn start(&self) -> Position {
        self.source.position(self.span.start as usize)
    }

    /// Where the span ends.
    pub fn end(&self) -> Position {
        self.source.position(self.span.end as usize)
    }
}

impl fmt::Display for Location {
    /// `file:line:column`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.start();
        write!(f, "{}:{}:{}", self.source.name(), start.line, start.column)
    }
}

/// The spans of a document, shaped like its [`Value`]: children stand in the same order as elements or members.
#[derive(Clone, Debug, Default)]
pub struct SpanTree {
    /// The whole node.
    pub span: Span,
    /// One entry per element or member.
    pub children: Vec<SpanEntry>,
}

/// A member or element of a [`SpanTree`].
#[derive(Clone, Debug, Default)]
pub struct SpanEntry {
    /// The key of an object's member; empty for array elements.
    pub key: Span,
    /// The value.
    pub tree: SpanTree,
}

impl SpanTree {
    /// The span of the node at `path` in `value`, whose spans these are. Where the path ends early because a field
    /// is missing, the key of the deepest object that exists (or that object itself) stands for it.
    pub fn locate(&self, value: &Value, path: &Path) -> Span {
        let mut here = (self, value);
        let mut found = None;
        for segment in &path.0 {
            let (tree, value) = here;
            let position = match (segment, value) {
                (Segment::Key(key), Value::Object(map)) => map.position(key),
                (Segment::Index(index), Value::Array(_)) => Some(*index),
                _ => None,
            };
            let Some((entry, child)) = position.and_then(|at| tree.children.get(at).zip(nth(value, at))) else {
                return found.map_or(
                    self.span,
                    |entry: &SpanEntry| {
                        if entry.key.is_empty() { entry.tree.span } else { entry.key }
                    },
                );
            };
            found = Some(entry);
            here = (&entry.tree, child);
        }
        here.0.span
    }
}

fn nth(value: &Value, at: usize) -> Option<&Value> {
    match value {
        Value::Object(map) => map.values().nth(at),
        Value::Array(items) => items.get(at),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let source = Source::new("a", "ab\nd\u{e9}f\n");
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        assert_eq!(source.position(3), Position { line: 2, column: 1 });
        assert_eq!(source.position(6), Position { line: 2, column: 3 });
        assert_eq!(source.position(999), Position { line: 3, column: 1 });
    }

    #[test]
    fn a_missing_field_is_located_at_its_parent_key() {
        let leaf = |start, end| SpanTree { span: Span { start, end }, children: Vec::new() };
        let tree = SpanTree {
            span: Span { start: 0, end: 20 },
            children: vec![SpanEntry { key: Span { start: 0, end: 4 }, tree: leaf(6, 20) }],
        };
        let value = Value::from_json(r#"{"spec":{}}"#).unwrap();
        assert_eq!(tree.locate(&value, &Path::from_pointer("/spec")), Span { start: 6, end: 20 });
        assert_eq!(tree.locate(&value, &Path::from_pointer("/spec/replicas")), Span { start: 0, end: 4 });
        assert_eq!(tree.locate(&value, &Path::from_pointer("/other")), Span { start: 0, end: 20 });
    }
}
