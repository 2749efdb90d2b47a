//! The text around a node: where its line ends, where its colon or dash is, how the file indents.

use palisade_model::{Span, SpanTree, Value};

use crate::write::Layout;

/// The source being edited.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    text: &'a str,
    bytes: &'a [u8],
}

impl<'a> Text<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, bytes: text.as_bytes() }
    }

    pub(super) fn at(self, offset: usize) -> u8 {
        self.bytes.get(offset).copied().unwrap_or(0)
    }

    pub(super) fn slice(self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or_default()
    }

    pub(super) fn line_start(self, offset: usize) -> usize {
        self.slice(0, offset).rfind('\n').map_or(0, |at| at + 1)
    }

    /// The end of the line, before its break.
    pub(super) fn line_end(self, offset: usize) -> usize {
        let end = self.text.get(offset..).and_then(|rest| rest.find('\n')).map_or(self.text.len(), |at| offset + at);
        if end > offset && self.at(end) == b'\n' && self.at(end - 1) == b'\r' { end - 1 } else { end }
    }

    /// The start of the next line.
    pub(super) fn next_line(self, offset: usize) -> usize {
        self.text.get(offset..).and_then(|rest| rest.find('\n')).map_or(self.text.len(), |at| offset + at + 1)
    }

    pub(super) fn column(self, offset: usize) -> usize {
        offset - self.line_start(offset)
    }

    /// Whether the text is laid out over several lines.
    pub(super) fn has_lines(self) -> bool {
        self.text.trim_end().contains('\n')
    }

    /// The blanks that the line of `offset` begins with.
    pub(super) fn indentation(self, offset: usize) -> String {
        let line = self.slice(self.line_start(offset), offset);
        line.chars().take_while(|c| matches!(c, ' ' | '\t')).collect()
    }

    /// Whether only blanks stand before `offset` on its line.
    pub(super) fn leads_line(self, offset: usize) -> bool {
        self.slice(self.line_start(offset), offset).trim_start_matches(' ').is_empty()
    }

    /// Whether nothing but a comment follows `offset` on its line.
    pub(super) fn ends_line(self, offset: usize) -> bool {
        let rest = self.slice(offset, self.line_end(offset)).trim_start_matches([' ', '\t']);
        rest.is_empty() || rest.starts_with('#')
    }

    /// What follows `offset` on its line where that is only a comment, with the blanks before it, and the line's end.
    pub(super) fn rest_of_line(self, offset: usize) -> Option<(String, usize)> {
        let end = self.line_end(offset);
        self.ends_line(offset).then(|| (self.slice(offset, end).trim_end().to_owned(), end))
    }

    /// Whether a comment follows `offset` on its line.
    pub(super) fn has_comment(self, offset: usize) -> bool {
        self.at(self.behind_blanks(offset)) == b'#'
    }

    pub(super) fn behind_blanks(self, offset: usize) -> usize {
        let rest = self.slice(offset, self.bytes.len());
        offset + rest.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
    }

    /// The offset behind the comma that follows an entry on its line, or the entry's end.
    pub(super) fn behind_comma(self, end: usize) -> usize {
        let at = self.behind_blanks(end);
        if self.at(at) == b',' { at + 1 } else { end }
    }

    /// The offset behind the `:` that follows a key.
    pub(super) fn after_colon(self, key: Span) -> Option<usize> {
        let end = key.end as usize;
        let blanks = self.text.get(end..)?.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        (self.at(end + blanks) == b':').then_some(end + blanks + 1)
    }

    /// The dash of the item that starts at `start`, dashes standing at `column`.
    pub(super) fn dash(self, start: usize, column: usize) -> Option<usize> {
        let mut line = self.line_start(start);
        loop {
            let dash = line + column;
            let blank_before = self.slice(line, dash).bytes().all(|byte| matches!(byte, b' ' | b'-' | b'\t'));
            if self.at(dash) == b'-' && blank_before && dash < start {
                return Some(dash);
            }
            line = self.line_start(line.checked_sub(1)?);
        }
    }

    /// The end of a node for inserting or deleting lines behind it: the end of its last line, and for a block scalar
    /// that keeps its trailing line breaks, the last of those.
    pub(super) fn tail(self, tree: &SpanTree) -> usize {
        let mut last = tree;
        while let Some(child) = last.children.iter().max_by_key(|child| child.tree.span.end) {
            if child.tree.span.end < last.span.end && !child.tree.span.is_empty() {
                break;
            }
            last = &child.tree;
        }
        let start = last.span.start as usize;
        let mut end = self.line_end(tree.span.end as usize);
        let header = self.slice(start, self.line_end(start));
        let keeps = header.starts_with(['|', '>']) && header.split('#').next().is_some_and(|mark| mark.contains('+'));
        while keeps && end < self.bytes.len() {
            let next = self.next_line(end);
            let blank = self.slice(next, self.line_end(next)).trim().is_empty();
            if !blank || next >= self.bytes.len() {
                break;
            }
            end = self.line_end(next);
        }
        end
    }

    /// How the text indents mappings and lists, read from its first nested ones.
    pub(super) fn layout(self, value: &Value, tree: &SpanTree) -> Layout {
        let mut layout = Layout::default();
        let (mut step, mut list) = (None, None);
        self.observe(value, tree, &mut step, &mut list);
        layout.step = step.unwrap_or(layout.step).clamp(1, 8);
        layout.list = list.unwrap_or(layout.list).min(8);
        layout
    }

    fn observe(self, value: &Value, tree: &SpanTree, step: &mut Option<usize>, list: &mut Option<usize>) {
        let children: Vec<&Value> = match value {
            Value::Object(map) => map.values().collect(),
            Value::Array(items) => items.iter().collect(),
            _ => return,
        };
        for (child, entry) in children.into_iter().zip(&tree.children) {
            let start = entry.tree.span.start as usize;
            let below = !entry.key.is_empty() && self.line_start(start) > entry.key.start as usize;
            let depth = self.column(start).checked_sub(self.column(entry.key.start as usize));
            match (child, self.at(start), depth) {
                (Value::Array(_), b'-', Some(depth)) if below => *list = list.or(Some(depth)),
                (Value::Object(_), first, Some(depth)) if below && first != b'{' => *step = step.or(Some(depth)),
                _ => {}
            }
            if step.is_some() && list.is_some() {
                return;
            }
            self.observe(child, &entry.tree, step, list);
        }
    }
}
