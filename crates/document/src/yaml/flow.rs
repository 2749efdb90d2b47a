//! Flow collections: `[a, b]` and `{a: 1}`, where brackets and not columns give the structure.

use palisade_model::{Span, SpanEntry, SpanTree, Value};

use super::mapping::{Key, Mapping};
use super::node::{Leaf, Node, Properties};
use super::parser::{Parse, Parser};
use super::scalar::Scalar;
use crate::fail::Fail;

impl<'a> Parser<'a> {
    pub(super) fn flow_sequence(&mut self, properties: Properties<'a>) -> Parse<Node> {
        let opened = self.enter_flow(properties);
        let (mut items, mut children, mut height) = (Vec::new(), Vec::new(), 0);
        while self.flow_continues(opened, b']', items.is_empty())? {
            let item = self.flow_item(opened)?;
            height = height.max(item.height);
            items.push(item.value);
            children.push(SpanEntry { key: Span::default(), tree: item.tree });
        }
        let tree = SpanTree { span: Span::new(opened..self.cursor.pos), children };
        self.leave_flow(Node { value: Value::array(items), tree, height: height + 1 }, properties)
    }

    pub(super) fn flow_mapping(&mut self, properties: Properties<'a>) -> Parse<Node> {
        let opened = self.enter_flow(properties);
        let mut mapping = Mapping::default();
        let mut first = true;
        while self.flow_continues(opened, b'}', first)? {
            first = false;
            let (key, value) = self.flow_member(opened)?;
            self.insert(&mut mapping, &key, value)?;
        }
        let node = mapping.into_node(Span::new(opened..self.cursor.pos));
        self.leave_flow(node, properties)
    }

    fn enter_flow(&mut self, properties: Properties<'a>) -> usize {
        self.open_anchor(properties);
        let opened = self.cursor.pos;
        self.cursor.pos += 1;
        self.flow += 1;
        opened
    }

    fn leave_flow(&mut self, node: Node, properties: Properties<'a>) -> Parse<Node> {
        self.flow -= 1;
        self.fresh = false;
        self.close(node, properties)
    }

    /// Steps over the comma between entries, or over the closing bracket; whether another entry follows.
    fn flow_continues(&mut self, opened: usize, close: u8, first: bool) -> Parse<bool> {
        self.skip_in_flow(opened)?;
        if !first && self.cursor.peek(0) == b',' {
            self.cursor.pos += 1;
            self.skip_in_flow(opened)?;
        } else if !first && self.cursor.peek(0) != close {
            return Err(self.flow_trouble(close));
        }
        if self.cursor.peek(0) != close {
            return Ok(true);
        }
        self.cursor.pos += 1;
        Ok(false)
    }

    fn flow_trouble(&self, close: u8) -> Fail {
        self.unexpected(if close == b']' { "`,` or `]`" } else { "`,` or `}`" })
    }

    fn skip_in_flow(&mut self, opened: usize) -> Parse<()> {
        self.skip_to_token();
        if !self.at_boundary() {
            return Ok(());
        }
        let what = if self.cursor.at(opened) == b'[' { "list" } else { "mapping" };
        Err(self.unclosed(opened, what))
    }

    /// An element of a flow sequence: a node, or a single `key: value` pair.
    fn flow_item(&mut self, opened: usize) -> Parse<Node> {
        let (start, line) = (self.cursor.pos, self.cursor.line_start);
        if self.cursor.peek(0) == b'?' {
            let (key, value) = self.flow_member(opened)?;
            return self.pair(start, &key, value);
        }
        let (leaf, properties) = self.flow_leaf()?;
        if self.at_flow_colon(line) {
            let key = self.key(leaf, properties)?;
            let value = self.flow_value(opened)?;
            return self.pair(start, &key, value);
        }
        self.finish(leaf, properties)
    }

    fn pair(&mut self, start: usize, key: &Key, value: Node) -> Parse<Node> {
        let end = (key.span.end).max(value.tree.span.end) as usize;
        let mut mapping = Mapping::default();
        self.insert(&mut mapping, key, value)?;
        self.count(1)?;
        Ok(mapping.into_node(Span::new(start..end)))
    }

    fn flow_member(&mut self, opened: usize) -> Parse<(Key, Node)> {
        let explicit = self.cursor.peek(0) == b'?';
        if explicit {
            self.cursor.pos += 1;
            self.skip_in_flow(opened)?;
        }
        let line = self.cursor.line_start;
        if self.cursor.peek(0) == b':' {
            return Err(self.complex_key(self.here()));
        }
        let (leaf, properties) = self.flow_leaf()?;
        let key = self.key(leaf, properties)?;
        if explicit {
            self.skip_in_flow(opened)?;
        }
        if self.at_flow_colon(if explicit { self.cursor.line_start } else { line }) {
            let value = self.flow_value(opened)?;
            return Ok((key, value));
        }
        self.count(1)?;
        let end = key.span.end as usize;
        Ok((key, Node::null(end)))
    }

    /// Whether a `:` follows on the line where the key began.
    fn at_flow_colon(&mut self, line: usize) -> bool {
        if self.cursor.line_start != line {
            return false;
        }
        self.cursor.skip_blanks();
        self.cursor.peek(0) == b':'
    }

    fn flow_value(&mut self, opened: usize) -> Parse<Node> {
        self.cursor.pos += 1;
        let empty_at = self.cursor.pos;
        self.skip_in_flow(opened)?;
        if matches!(self.cursor.peek(0), b',' | b']' | b'}') {
            self.count(1)?;
            return Ok(Node::null(empty_at));
        }
        let (leaf, properties) = self.flow_leaf()?;
        self.finish(leaf, properties)
    }

    /// A node inside brackets, with its properties; the node may be empty where it has some.
    fn flow_leaf(&mut self) -> Parse<(Leaf<'a>, Properties<'a>)> {
        let properties = self.properties()?;
        let end = self.cursor.pos;
        if properties.anchor.is_some() || properties.tag.is_some() {
            self.skip_to_token();
            if matches!(self.cursor.peek(0), b',' | b']' | b'}' | b':') {
                let empty = Scalar { text: "".into(), span: Span::new(end..end), plain: true };
                return Ok((Leaf::Scalar(empty), properties));
            }
        }
        let leaf = self.leaf(properties)?;
        // A collection has kept its own anchor, and a tag says nothing about one.
        let properties = if matches!(leaf, Leaf::Node(_)) { Properties::default() } else { properties };
        Ok((leaf, properties))
    }
}
