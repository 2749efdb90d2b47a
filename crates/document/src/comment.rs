//! Comments of YAML files, and the fields that they speak of.
//!
//! The YAML reader itself says where comments are, so a `#` inside a quoted text or a block scalar is none. A comment
//! behind a field speaks of what begins on its line; a comment on a line of its own speaks of what begins on the next
//! line with content. Of several nodes that begin there, the outermost is meant: a list element, not its first member.
//! Only a comment of its own line can mean a whole document. Deliberately absent: what comments say.

use std::sync::Arc;

use palisade_model::{Path, Segment, Source, Span, SpanEntry, SpanTree, Str, Value};

use crate::decode::has_extension;
use crate::document::{Document, Limits};
use crate::yaml;

/// A comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comment {
    /// From `#` to the end of the line.
    pub span: Span,
    /// The line that it speaks of; empty where there is none.
    line: Span,
    /// Whether nothing else is on its line.
    own_line: bool,
}

/// The comments of a YAML source in order. JSON has none, and those of TOML are not looked for.
pub fn comments(source: &Arc<Source>, limits: &Limits) -> Vec<Comment> {
    if ["json", "toml"].iter().any(|other| has_extension(source.name(), other)) {
        return Vec::new();
    }
    let text = source.text();
    let mut spans = yaml::comments(source, limits);
    spans.sort_unstable();
    spans.dedup();
    let mut comments = Vec::with_capacity(spans.len());
    // The line that follows a block of comments, found once for all of them.
    let mut next: Option<Span> = None;
    for span in spans {
        let start = span.start as usize;
        let line_start = text.get(..start).and_then(|head| head.rfind('\n')).map_or(0, |at| at + 1);
        let own_line = text.get(line_start..start).is_some_and(|head| head.trim().is_empty());
        next = next.filter(|line| span.end < line.start);
        let line = if own_line {
            *next.get_or_insert_with(|| next_line(text, span.end as usize))
        } else {
            Span::new(line_start..span.end as usize)
        };
        comments.push(Comment { span, line, own_line });
    }
    comments
}

/// The next line that is neither empty nor a comment; an empty span where the document ends first.
fn next_line(text: &str, from: usize) -> Span {
    let mut at = from;
    let rest = text.get(from..).unwrap_or_default();
    let mut lines = rest.split_inclusive('\n');
    at += lines.next().map_or(0, str::len);
    let first_document = !text.get(..from).unwrap_or_default().lines().any(begins_content);
    for line in lines {
        let content = line.trim();
        let marker = line.starts_with("---") && first_document;
        if !content.is_empty() && !content.starts_with('#') && !marker {
            let boundary = line.starts_with("---") || line.starts_with("...");
            return if boundary { Span::new(at..at) } else { Span::new(at..at + line.len()) };
        }
        at += line.len();
    }
    Span::new(at..at)
}

fn begins_content(line: &str) -> bool {
    let content = line.trim();
    !content.is_empty() && !content.starts_with('#')
}

/// What each comment speaks of: the index of the document and the path in it. `None` for a comment that speaks of no
/// field.
pub fn subjects(documents: &[Document], comments: &[Comment]) -> Vec<Option<(usize, Path)>> {
    let mut order: Vec<usize> = (0..comments.len()).collect();
    order.sort_by_key(|at| comments.get(*at).map(|comment| comment.line));
    let wanted = order.iter().filter_map(|at| Some((*at, comments.get(*at)?))).collect();
    let mut search = Search { wanted, found: vec![None; comments.len()], document: 0, trail: Vec::new() };
    for (index, document) in documents.iter().enumerate() {
        search.document = index;
        let root =
            SpanEntry { key: Span::default(), tree: SpanTree { span: document.spans.span, children: Vec::new() } };
        search.entry(&root, true);
        search.children(&document.spans, &document.value);
    }
    search.found
}

/// A walk through documents that stops at the nodes that comments speak of.
struct Search<'a> {
    /// Comments by the line that they speak of.
    wanted: Vec<(usize, &'a Comment)>,
    found: Vec<Option<(usize, Path)>>,
    document: usize,
    trail: Vec<Step<'a>>,
}

/// A step of the walk; becomes a segment of a path only where a comment asks for it.
enum Step<'a> {
    Key(&'a Str),
    Index(usize),
}

impl<'a> Search<'a> {
    fn children(&mut self, tree: &SpanTree, value: &'a Value) {
        if !self.interesting(tree.span) {
            return;
        }
        match value {
            Value::Object(map) => {
                for (entry, (key, value)) in tree.children.iter().zip(map.iter()) {
                    self.child(entry, Step::Key(key), value);
                }
            }
            Value::Array(items) => {
                for (index, (entry, value)) in tree.children.iter().zip(items.iter()).enumerate() {
                    self.child(entry, Step::Index(index), value);
                }
            }
            _ => {}
        }
    }

    fn child(&mut self, entry: &SpanEntry, step: Step<'a>, value: &'a Value) {
        self.trail.push(step);
        self.entry(entry, false);
        self.children(&entry.tree, value);
        self.trail.pop();
    }

    /// Gives the node to the comments that speak of its line, where no outer node was there before.
    fn entry(&mut self, entry: &SpanEntry, root: bool) {
        let start = if entry.key.is_empty() { entry.tree.span.start } else { entry.key.start };
        let after = self.wanted.partition_point(|(_, comment)| comment.line.start <= start);
        for (at, comment) in self.wanted.iter().take(after).rev() {
            if comment.line.end <= start {
                break;
            }
            let Some(slot) = self.found.get_mut(*at).filter(|slot| slot.is_none() && (comment.own_line || !root))
            else {
                continue;
            };
            let segments = self.trail.iter().map(|step| match step {
                Step::Key(key) => Segment::Key((*key).clone()),
                Step::Index(index) => Segment::Index(*index),
            });
            *slot = Some((self.document, Path(segments.collect())));
        }
    }

    /// Whether any comment speaks of a line in `span`.
    fn interesting(&self, span: Span) -> bool {
        let first = self.wanted.partition_point(|(_, comment)| comment.line.end <= span.start);
        self.wanted.get(first).is_some_and(|(_, comment)| comment.line.start < span.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{expand_lists, parse};

    /// Each comment's text with the path that it speaks of, `-` for none, the document in front.
    fn said(name: &str, text: &str) -> Vec<String> {
        let parsed = parse(name, text.as_bytes(), &Limits::default());
        let documents: Vec<_> = parsed.documents.into_iter().flat_map(expand_lists).collect();
        let source = Source::new(name, text);
        let comments = comments(&source, &Limits::default());
        let paths = subjects(&documents, &comments);
        let shown =
            |found: &Option<(usize, Path)>| found.as_ref().map_or("-".to_owned(), |(at, path)| format!("{at}:{path}"));
        comments.iter().zip(&paths).map(|(c, path)| format!("{} {}", source.slice(c.span), shown(path))).collect()
    }

    #[test]
    fn comments_speak_of_their_line_or_the_next() {
        let text = "# head\nkind: Pod # kind\nspec: # spec\n  # list\n  containers:\n    # first\n\n    - name: a # a\n      \
                    image: b\n      # args\n      # more\n      args: | # header\n        # no comment\n      x: '# none'\n";
        assert_eq!(
            said("a.yaml", text),
            [
                "# head 0:",
                "# kind 0:kind",
                "# spec 0:spec",
                "# list 0:spec.containers",
                "# first 0:spec.containers[0]",
                "# a 0:spec.containers[0]",
                "# args 0:spec.containers[0].args",
                "# more 0:spec.containers[0].args",
                "# header 0:spec.containers[0].args",
            ]
        );
    }

    #[test]
    fn documents_and_list_items_have_their_own_heads() {
        let text = "# one\n---\nkind: A\n# stray\n---\n# two\nkind: B\n# end\n";
        assert_eq!(said("a.yaml", text), ["# one 0:", "# stray -", "# two 1:", "# end -"]);
        let list = "apiVersion: v1\nkind: List\nitems:\n# a\n- kind: A\n# b\n- kind: B\n  x: {y: 1} # x\n";
        assert_eq!(said("a.yaml", list), ["# a 0:", "# b 1:", "# x 1:x"]);
    }

    #[test]
    fn json_has_no_comments() {
        assert!(said("a.json", "{\"a\": \"# b\"}").is_empty());
        assert!(said("a.yaml", "{\"a\": \"# b\"}").is_empty());
    }

    #[test]
    fn very_many_comments_are_cheap() {
        let text = format!("a: 1\n{}b: 2\n{}", "# c\n".repeat(100_000), "x: 1 # d\n".replace('x', "y"));
        assert_eq!(said("a.yaml", &text).len(), 100_001);
        let items = "- # e\n  - 1\n".repeat(50_000);
        assert_eq!(said("a.yaml", &items).len(), 50_000);
    }
}
