//! The state of the YAML reader: recursive descent over the text, straight into values and spans.
//!
//! It accepts and refuses what go-yaml version 2 does, because that is what every Kubernetes tool reads manifests
//! with. Blocks, flow collections, nodes and scalars are read in the modules beside this one.

use std::collections::HashMap;
use std::sync::Arc;

use palisade_model::{Diagnostic, Source, Span};

use super::cursor::Cursor;
use super::names::Names;
use super::node::Anchor;
use crate::codes;
use crate::document::Limits;
use crate::fail::Fail;

pub(super) type Parse<T> = Result<T, Fail>;

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
    /// Where comments stand, for those who ask.
    pub(super) comments: Option<Vec<Span>>,
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
            comments: None,
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
            self.skip_comment();
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

    /// Steps over a comment where one begins, to the end of its line.
    pub(super) fn skip_comment(&mut self) {
        if self.cursor.peek(0) != b'#' {
            return;
        }
        let start = self.cursor.pos;
        self.cursor.skip_line();
        if let Some(comments) = &mut self.comments {
            comments.push(Span::new(start..self.cursor.pos));
        }
    }

    /// Whether the document ends at the cursor.
    pub(super) fn at_boundary(&self) -> bool {
        self.cursor.at_end() || self.cursor.at_marker()
    }

    pub(super) fn column(&self) -> isize {
        self.cursor.column().cast_signed()
    }

    /// Whether `indicator` followed by a blank is at the cursor.
    pub(super) fn at_indicator(&self, indicator: u8) -> bool {
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
}
