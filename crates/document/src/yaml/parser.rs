//! The YAML reader: recursive descent over the text, straight into values and spans.
//!
//! It accepts and refuses what go-yaml version 2 does, because that is what every Kubernetes tool reads manifests
//! with. Block structure follows from columns alone: a token deeper than the current indentation opens a collection,
//! one less deep closes it. A mapping's key needs no lookahead, because a key is a single line scalar and whether one
//! is a key shows once it has been read.

use std::collections::HashMap;
use std::sync::Arc;

use palisade_model::{Diagnostic, Source, Span, SpanEntry, SpanTree, Str, Value};

use super::cursor::Cursor;
use super::mapping::{Key, Mapping};
use super::names::Names;
use super::resolve;
use super::scalar::Scalar;
use crate::codes;
use crate::document::Limits;
use crate::fail::Fail;

pub(super) type Parse<T> = Result<T, Fail>;

/// The longest implicit key, as YAML defines it.
const MAX_KEY: usize = 1024;

/// A value, its spans, and how many levels of collections it holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) tree: SpanTree,
    pub(super) height: usize,
}

impl Node {
    pub(super) fn leaf(value: Value, span: Span) -> Self {
        Self { value, tree: SpanTree { span, children: Vec::new() }, height: 0 }
    }

    pub(super) fn null(at: usize) -> Self {
        Self::leaf(Value::Null, Span::new(at..at))
    }
}

/// An anchored node, and how many nodes an alias to it stands for.
pub(super) struct Anchor {
    node: Node,
    nodes: usize,
}

/// Anchor and tag in front of a node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Properties<'a> {
    pub(super) anchor: Option<&'a str>,
    pub(super) tag: Option<Span>,
}

impl Properties<'_> {
    fn is_empty(&self) -> bool {
        self.anchor.is_none() && self.tag.is_none()
    }
}

/// What a line begins with: a scalar, which may turn out to be a key, or a complete node.
pub(super) enum Leaf<'a> {
    Scalar(Scalar<'a>),
    Node(Node),
}

/// The state of reading one source.
pub(super) struct Parser<'a> {
    pub(super) source: &'a Arc<Source>,
    pub(super) cursor: Cursor<'a>,
    pub(super) limits: &'a Limits,
    /// Column of the innermost block collection, -1 outside of any.
    pub(super) indent: isize,
    /// How many flow collections are open.
    pub(super) flow: usize,
    /// Whether a block collection may begin at the cursor: first on its line, or after `- ` or `? `.
    pub(super) fresh: bool,
    pub(super) depth: usize,
    pub(super) nodes: usize,
    pub(super) aliased: usize,
    pub(super) anchors: HashMap<&'a str, Anchor>,
    /// Anchors of the collections being read.
    pub(super) open: Vec<&'a str>,
    /// `%TAG` handles of the current document.
    pub(super) handles: Vec<(&'a str, &'a str)>,
    pub(super) names: Names,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(source: &'a Arc<Source>, text: &'a str, exotic: bool, limits: &'a Limits) -> Self {
        Self {
            source,
            cursor: Cursor::new(text, exotic),
            limits,
            indent: -1,
            flow: 0,
            fresh: true,
            depth: 0,
            nodes: 0,
            aliased: 0,
            anchors: HashMap::new(),
            open: Vec::new(),
            handles: Vec::new(),
            names: Names::default(),
            diagnostics: Vec::new(),
        }
    }

    /// Forgets what belongs to one document.
    pub(super) fn start_document(&mut self) {
        self.indent = -1;
        self.flow = 0;
        self.depth = 0;
        self.aliased = 0;
        self.anchors.clear();
        self.open.clear();
    }

    /// Steps over blanks, comments and line breaks. Tabs are refused where they would indent.
    pub(super) fn skip_to_token(&mut self) {
        loop {
            let tabs = self.flow > 0 || !self.fresh;
            while self.cursor.peek(0) == b' ' || (tabs && self.cursor.peek(0) == b'\t') {
                self.cursor.pos += 1;
            }
            if self.cursor.peek(0) == b'#' {
                self.cursor.skip_line();
            }
            if self.cursor.take_break().is_some() {
                self.fresh |= self.flow == 0;
            } else if self.cursor.column() == 0 && self.cursor.slice(self.cursor.pos..self.cursor.pos + 3) == "\u{FEFF}"
            {
                self.cursor.pos += 3;
                self.cursor.line_start = self.cursor.pos;
            } else {
                return;
            }
        }
    }

    /// Whether the document ends at the cursor.
    pub(super) fn at_boundary(&self) -> bool {
        self.cursor.at_end() || self.cursor.at_marker()
    }

    fn column(&self) -> isize {
        self.cursor.column().cast_signed()
    }

    /// Whether `indicator` followed by a blank is at the cursor.
    fn at_indicator(&self, indicator: u8) -> bool {
        self.cursor.peek(0) == indicator && self.cursor.blank_or_end(self.cursor.pos + 1)
    }

    /// Counts a node and a level, reads it, and leaves the level.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        if self.depth >= self.limits.max_depth {
            let message = format!("collections are nested deeper than {} levels", self.limits.max_depth);
            return Err(self.limit(codes::TOO_DEEP, self.here(), message));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    pub(super) fn count(&mut self, nodes: usize) -> Parse<()> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes <= self.limits.max_nodes {
            return Ok(());
        }
        let message = format!("the file holds more than {} nodes", self.limits.max_nodes);
        Err(self.limit(codes::TOO_MANY, self.here(), message))
    }

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

    fn join(&mut self, outer: Properties<'a>, own: Properties<'a>) -> Parse<Properties<'a>> {
        if (outer.anchor.is_some() && own.anchor.is_some()) || (outer.tag.is_some() && own.tag.is_some()) {
            return Err(self.unexpected("one anchor and one tag at most"));
        }
        Ok(Properties { anchor: own.anchor.or(outer.anchor), tag: own.tag.or(outer.tag) })
    }

    /// Anchor and tag at the cursor, and the blanks behind them.
    pub(super) fn properties(&mut self) -> Parse<Properties<'a>> {
        let mut found = Properties::default();
        loop {
            match self.cursor.peek(0) {
                b'&' if found.anchor.is_none() => {
                    let (name, _) = self.anchor_name("anchor")?;
                    found.anchor = Some(name);
                }
                b'!' if found.tag.is_none() => found.tag = Some(self.tag_token()?),
                _ => return Ok(found),
            }
            self.fresh = false;
            self.cursor.skip_blanks();
        }
    }

    /// The name after `&` or `*`, and the span of the whole token.
    fn anchor_name(&mut self, what: &str) -> Parse<(&'a str, Span)> {
        let start = self.cursor.pos;
        self.cursor.pos += 1;
        while matches!(self.cursor.peek(0), b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'-') {
            self.cursor.pos += 1;
        }
        let name = self.cursor.slice(start + 1..self.cursor.pos);
        let ends = self.cursor.blank_or_end(self.cursor.pos)
            || matches!(self.cursor.peek(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.is_empty() || !ends {
            let span = Span::new(start..self.cursor.line_end(start).min(start + 40));
            let message = format!("this is not the name of an {what}");
            let fail = self.trouble(codes::ALIAS, span, message, "names consist of letters, digits, `_` and `-`");
            return Err(fail.help("put quotes around the text if it begins with this character by intention"));
        }
        Ok((name, Span::new(start..self.cursor.pos)))
    }

    /// Whatever can stand on a line: alias, scalar, or flow collection.
    pub(super) fn leaf(&mut self, properties: Properties<'a>) -> Parse<Leaf<'a>> {
        let block = self.flow == 0;
        match self.cursor.peek(0) {
            b'*' if properties.is_empty() => self.alias().map(Leaf::Node),
            b'"' | b'\'' => self.quoted_scalar().map(Leaf::Scalar),
            b'|' | b'>' if block => self.block_scalar().map(Leaf::Scalar),
            b'[' => self.nested(|parser| parser.flow_sequence(properties)).map(Leaf::Node),
            b'{' => self.nested(|parser| parser.flow_mapping(properties)).map(Leaf::Node),
            _ if self.at_plain_start() => {
                self.fresh = false;
                self.plain_scalar().map(Leaf::Scalar)
            }
            _ => Err(self.unexpected("a value")),
        }
    }

    fn at_plain_start(&self) -> bool {
        match self.cursor.peek(0) {
            b'-' => !self.cursor.blank_or_end(self.cursor.pos + 1),
            b'?' | b':' => self.flow == 0 && !self.cursor.blank_or_end(self.cursor.pos + 1),
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\'' | b'"' | b'%' | b'@'
            | b'`' => false,
            _ => !self.cursor.blank_or_end(self.cursor.pos),
        }
    }

    fn alias(&mut self) -> Parse<Node> {
        let (name, span) = self.anchor_name("alias")?;
        self.fresh = false;
        if self.open.contains(&name) {
            let message = format!("the alias `*{name}` stands inside its own anchor");
            let fail = self.trouble(codes::ALIAS, span, message, "this would never end");
            return Err(fail.help("repeat the part that is meant, without the alias"));
        }
        let Some(anchor) = self.anchors.get(name) else {
            let message = format!("the alias `*{name}` refers to no anchor above it");
            let fail = self.trouble(codes::ALIAS, span, message, "no such anchor in this document");
            return Err(fail.help("put quotes around the text if it begins with an asterisk by intention"));
        };
        let (nodes, height) = (anchor.nodes, anchor.node.height);
        if self.depth + height > self.limits.max_depth {
            let message = format!("aliases nest collections deeper than {} levels", self.limits.max_depth);
            return Err(self.limit(codes::TOO_DEEP, span, message));
        }
        self.count_copies(nodes, span)?;
        self.count(nodes)?;
        let mut node = self.anchors.get(name).map(|anchor| anchor.node.clone()).unwrap_or_default();
        node.tree.span = span;
        Ok(node)
    }

    /// Turns a leaf into a node: types the scalar and remembers the anchor.
    pub(super) fn finish(&mut self, leaf: Leaf<'a>, properties: Properties<'a>) -> Parse<Node> {
        let node = match leaf {
            Leaf::Scalar(scalar) => {
                self.count(1)?;
                Node::leaf(self.typed(&scalar, properties.tag)?, scalar.span)
            }
            // A flow collection has kept its own anchor; one from the line above is still open here.
            Leaf::Node(node) => node,
        };
        self.keep_anchor(properties, &node)?;
        Ok(node)
    }

    /// Keeps a copy of an anchored node. The copy counts as an alias does: nested anchors would multiply otherwise.
    fn keep_anchor(&mut self, properties: Properties<'a>, node: &Node) -> Parse<()> {
        let Some(name) = properties.anchor else { return Ok(()) };
        let nodes = weight(&node.tree);
        self.count_copies(nodes, node.tree.span)?;
        self.anchors.insert(name, Anchor { node: node.clone(), nodes });
        Ok(())
    }

    fn count_copies(&mut self, nodes: usize, span: Span) -> Parse<()> {
        self.aliased = self.aliased.saturating_add(nodes);
        if self.aliased <= self.limits.max_alias_expansion {
            return Ok(());
        }
        let message = "the anchors and aliases of this document stand for too many nodes".to_owned();
        Err(self.limit(codes::TOO_MANY, span, message))
    }

    /// Marks the anchor of a collection as being read.
    pub(super) fn open_anchor(&mut self, properties: Properties<'a>) {
        self.open.extend(properties.anchor);
    }

    /// Completes a collection: its anchor, if any, can be referred to from here on.
    pub(super) fn close(&mut self, node: Node, properties: Properties<'a>) -> Parse<Node> {
        self.count(1)?;
        if properties.anchor.is_some() {
            self.open.pop();
            self.keep_anchor(properties, &node)?;
        }
        Ok(node)
    }

    fn typed(&mut self, scalar: &Scalar<'a>, tag: Option<Span>) -> Parse<Value> {
        if let Some(tag) = tag {
            return self.tagged(scalar, tag);
        }
        match if scalar.plain { resolve::resolve(&scalar.text) } else { None } {
            Some(Value::Float(value)) if !value.is_finite() => Err(self.not_json(scalar)),
            Some(value) => Ok(value),
            None => Ok(Value::String(Str::from(&*scalar.text))),
        }
    }

    pub(super) fn not_json(&self, scalar: &Scalar<'_>) -> Fail {
        let message = format!("`{}` cannot be written in JSON, which Kubernetes stores", scalar.text);
        let fail = self.trouble(codes::NUMBER, scalar.span, message, "infinity or not a number");
        fail.help("put quotes around it if text is meant")
    }

    /// A leaf as the key of a mapping.
    pub(super) fn key(&mut self, leaf: Leaf<'a>, properties: Properties<'a>) -> Parse<Key> {
        if let (Leaf::Scalar(scalar), None, None) = (&leaf, properties.tag, properties.anchor) {
            let typed = if scalar.plain { resolve::resolve(&scalar.text) } else { None };
            let merge = scalar.plain && scalar.text == "<<";
            if typed.is_none() {
                return Ok(Key { name: self.names.name(&scalar.text), span: scalar.span, merge });
            }
            let name = typed.as_ref().and_then(resolve::key_text).ok_or_else(|| self.complex_key(scalar.span))?;
            return Ok(Key { name: name.into(), span: scalar.span, merge: false });
        }
        let node = self.finish(leaf, properties)?;
        self.key_of(&node)
    }

    pub(super) fn key_of(&self, node: &Node) -> Parse<Key> {
        let name = resolve::key_text(&node.value).ok_or_else(|| self.complex_key(node.tree.span))?;
        Ok(Key { name: name.into(), span: node.tree.span, merge: false })
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

/// How many nodes a tree has.
fn weight(tree: &SpanTree) -> usize {
    1 + tree.children.iter().map(|child| weight(&child.tree)).sum::<usize>()
}
