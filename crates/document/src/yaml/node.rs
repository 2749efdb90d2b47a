//! Nodes, and what stands before them: anchors, tags, aliases; and how a leaf becomes a value or a key.

use palisade_model::{Span, SpanTree, Str, Value};

use super::mapping::Key;
use super::parser::{Parse, Parser};
use super::resolve;
use super::scalar::Scalar;
use crate::codes;
use crate::fail::Fail;

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
    pub(super) fn is_empty(&self) -> bool {
        self.anchor.is_none() && self.tag.is_none()
    }
}

/// What a line begins with: a scalar, which may turn out to be a key, or a complete node.
pub(super) enum Leaf<'a> {
    Scalar(Scalar<'a>),
    Node(Node),
}

impl<'a> Parser<'a> {
    pub(super) fn join(&mut self, outer: Properties<'a>, own: Properties<'a>) -> Parse<Properties<'a>> {
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

    pub(super) fn at_plain_start(&self) -> bool {
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
        match self.resolved(scalar) {
            Some(Value::Float(value)) if !value.is_finite() => Err(self.not_json(scalar)),
            Some(value) => Ok(value),
            None => Ok(Value::String(Str::from(&*scalar.text))),
        }
    }

    /// The value of a plain scalar where it is anything but text.
    fn resolved(&self, scalar: &Scalar<'_>) -> Option<Value> {
        let typed = scalar.plain && (self.limits.word_booleans || !resolve::is_word_boolean(&scalar.text));
        if typed { resolve::resolve(&scalar.text) } else { None }
    }

    pub(super) fn not_json(&self, scalar: &Scalar<'_>) -> Fail {
        let message = format!("`{}` cannot be written in JSON, which Kubernetes stores", scalar.text);
        let fail = self.trouble(codes::NUMBER, scalar.span, message, "infinity or not a number");
        fail.help("put quotes around it if text is meant")
    }

    /// A leaf as the key of a mapping.
    pub(super) fn key(&mut self, leaf: Leaf<'a>, properties: Properties<'a>) -> Parse<Key> {
        if let (Leaf::Scalar(scalar), None, None) = (&leaf, properties.tag, properties.anchor) {
            let typed = self.resolved(scalar);
            let merge = scalar.plain && scalar.text == "<<";
            if typed.is_none() {
                return Ok(Key { name: self.names.name(&scalar.text), span: scalar.span, merge });
            }
            let name = typed.as_ref().and_then(resolve::key_text).ok_or_else(|| self.complex_key(scalar.span))?;
            return Ok(Key { name: name.into(), span: scalar.span, merge: false });
        }
        let merge =
            matches!(&leaf, Leaf::Scalar(scalar) if scalar.plain && scalar.text == "<<" && properties.tag.is_none());
        let node = self.finish(leaf, properties)?;
        self.key_of(&node).map(|key| Key { merge, ..key })
    }

    pub(super) fn key_of(&self, node: &Node) -> Parse<Key> {
        let name = resolve::key_text(&node.value).ok_or_else(|| self.complex_key(node.tree.span))?;
        Ok(Key { name: name.into(), span: node.tree.span, merge: false })
    }
}

/// How many nodes a tree has.
fn weight(tree: &SpanTree) -> usize {
    1 + tree.children.iter().map(|child| weight(&child.tree)).sum::<usize>()
}
