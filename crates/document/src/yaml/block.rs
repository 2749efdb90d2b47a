//! Block collections: lists and mappings whose structure follows from columns.
//!
//! A token deeper than the current indentation opens a collection, one less deep closes it. A mapping's key needs no
//! lookahead, because a key is a single line scalar and whether one is a key shows once it has been read.

use palisade_model::{Span, SpanEntry, SpanTree, Value};

use super::mapping::{Key, Mapping};
use super::node::{Leaf, Node, Properties};
use super::parser::{Parse, Parser};
use super::scalar::Scalar;
use crate::codes;

/// The longest implicit key, as YAML defines it.
const MAX_KEY: usize = 1024;

impl<'a> Parser<'a> {
    /// Reads the node at the cursor, which is deeper than the current indentation (or, for an `indentless` sequence,
    /// a `- ` at it).
    pub(super) fn block_node(&mut self, outer: Properties<'a>, indentless: bool) -> Parse<Node> {
        let (start, column, line) = (self.cursor.pos, self.column(), self.cursor.line_start);
        let fresh = self.fresh;
        if self.at_indicator(b'-') {
            return self.block_sequence(outer);
        }
        if self.at_indicator(b'?') || self.at_indicator(b':') {
            return self.block_mapping(column, start, outer, None);
        }
        let own = self.properties()?;
        if !own.is_empty() && (self.cursor.peek(0) == b'#' || self.cursor.blank_or_end(self.cursor.pos)) {
            let properties = self.join(outer, own)?;
            return self.node_below(properties, indentless);
        }
        let leaf = self.leaf(own)?;
        if self.cursor.line_start == line {
            self.cursor.skip_blanks();
            if self.at_indicator(b':') {
                if !fresh || self.cursor.pos - start > MAX_KEY {
                    return Err(self.stray_colon());
                }
                let key = self.key(leaf, own)?;
                return self.block_mapping(column, start, outer, Some(key));
            }
        }
        let properties = self.join(outer, own)?;
        self.finish(leaf, properties)
    }

    /// The node whose anchor or tag stood alone on the line above.
    fn node_below(&mut self, properties: Properties<'a>, indentless: bool) -> Parse<Node> {
        let end = self.cursor.pos;
        self.skip_to_token();
        let deeper = self.column() > self.indent;
        let sequence = indentless && self.column() == self.indent && self.at_indicator(b'-');
        if self.at_boundary() || !(deeper || sequence) {
            let empty = Scalar { text: "".into(), span: Span::new(end..end), plain: true };
            return self.finish(Leaf::Scalar(empty), properties);
        }
        self.block_node(properties, indentless)
    }

    fn block_sequence(&mut self, properties: Properties<'a>) -> Parse<Node> {
        if !self.fresh {
            let fail = self.unexpected("a value on this line");
            return Err(fail.help("begin the list on its own line"));
        }
        self.nested(|parser| {
            parser.open_anchor(properties);
            let column = parser.column();
            let outer = std::mem::replace(&mut parser.indent, column);
            let node = parser.block_items(outer == parser.indent)?;
            parser.indent = outer;
            parser.close(node, properties)
        })
    }

    fn block_items(&mut self, indentless: bool) -> Parse<Node> {
        let start = self.cursor.pos;
        let (mut items, mut children, mut height, mut end) = (Vec::new(), Vec::new(), 0, start);
        loop {
            self.cursor.pos += 1;
            end = end.max(self.cursor.pos);
            self.fresh = true;
            let empty_at = self.cursor.pos;
            self.skip_to_token();
            let item = if !self.at_boundary() && self.column() > self.indent {
                self.block_node(Properties::default(), false)?
            } else {
                self.count(1)?;
                Node::null(empty_at)
            };
            end = end.max(item.tree.span.end as usize);
            height = height.max(item.height);
            items.push(item.value);
            children.push(SpanEntry { key: Span::default(), tree: item.tree });
            self.skip_to_token();
            if self.at_boundary() || self.column() < self.indent {
                break;
            }
            if self.column() > self.indent || !self.at_indicator(b'-') {
                if self.column() == self.indent && indentless {
                    break;
                }
                return Err(self.unexpected("the next `- ` item, or a less indented line"));
            }
        }
        let tree = SpanTree { span: Span::new(start..end), children };
        Ok(Node { value: Value::array(items), tree, height: height + 1 })
    }

    /// Reads a mapping whose keys stand at `column`; the first one may have been read already.
    fn block_mapping(
        &mut self,
        column: isize,
        start: usize,
        properties: Properties<'a>,
        first: Option<Key>,
    ) -> Parse<Node> {
        if first.is_none() && !self.fresh {
            return Err(self.unexpected("a value"));
        }
        self.nested(|parser| {
            parser.open_anchor(properties);
            let outer = std::mem::replace(&mut parser.indent, column);
            let node = parser.block_members(start, first)?;
            parser.indent = outer;
            parser.close(node, properties)
        })
    }

    fn block_members(&mut self, start: usize, mut first: Option<Key>) -> Parse<Node> {
        let mut mapping = Mapping::default();
        let mut end = start;
        loop {
            let (key, value) = match first.take() {
                Some(key) => (key, self.simple_value()?),
                None if self.at_indicator(b'?') => self.explicit_member()?,
                None => (self.simple_key()?, self.simple_value()?),
            };
            end = end.max(value.tree.span.end as usize);
            self.insert(&mut mapping, &key, value)?;
            self.skip_to_token();
            if self.at_boundary() || self.column() < self.indent {
                return Ok(mapping.into_node(Span::new(start..end)));
            }
            if self.column() > self.indent {
                return Err(self.unexpected("the next key, or a less indented line"));
            }
        }
    }

    fn simple_key(&mut self) -> Parse<Key> {
        let (start, line) = (self.cursor.pos, self.cursor.line_start);
        let properties = self.properties()?;
        if self.at_indicator(b'-')
            || !(self.at_plain_start() || matches!(self.cursor.peek(0), b'"' | b'\'' | b'*' | b'[' | b'{'))
        {
            return Err(self.unexpected("a key"));
        }
        let leaf = self.leaf(properties)?;
        if self.cursor.line_start == line {
            self.cursor.skip_blanks();
        }
        if self.cursor.line_start != line || !self.at_indicator(b':') || self.cursor.pos - start > MAX_KEY {
            let span = Span::new(start..self.cursor.line_end(start));
            let fail = self.trouble(
                codes::STRUCTURE,
                span,
                "this line is not a `key: value` pair",
                "expected `:` and a value",
            );
            return Err(fail.help("add the colon, or indent the line if it continues the value above"));
        }
        self.key(leaf, properties)
    }

    /// The value behind the `:` at the cursor.
    fn simple_value(&mut self) -> Parse<Node> {
        self.cursor.pos += 1;
        self.fresh = false;
        self.value_after(self.cursor.pos)
    }

    fn value_after(&mut self, empty_at: usize) -> Parse<Node> {
        self.skip_to_token();
        let deeper = self.column() > self.indent;
        // go-yaml also takes the header of a block scalar there.
        let level =
            self.column() == self.indent && (self.at_indicator(b'-') || matches!(self.cursor.peek(0), b'|' | b'>'));
        if self.at_boundary() || !(deeper || level) {
            self.count(1)?;
            return Ok(Node::null(empty_at));
        }
        self.block_node(Properties::default(), true)
    }

    /// `? key` and, on a line of its own, `: value`.
    fn explicit_member(&mut self) -> Parse<(Key, Node)> {
        self.cursor.pos += 1;
        self.fresh = true;
        let key = self.value_after(self.cursor.pos)?;
        let key = self.key_of(&key)?;
        let empty_at = self.cursor.pos;
        self.skip_to_token();
        if self.column() == self.indent && self.at_indicator(b':') {
            self.cursor.pos += 1;
            self.fresh = true;
            let value = self.value_after(self.cursor.pos)?;
            return Ok((key, value));
        }
        self.count(1)?;
        let end = (key.span.end as usize).min(empty_at);
        Ok((key, Node::null(end)))
    }
}
