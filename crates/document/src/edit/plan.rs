//! From a difference of values to replacements of text, one node at a time.
//!
//! A plan may be wrong where the text is unusual (comments in odd places, properties, explicit keys): the caller
//! reads the result back and compares. `None` says that a node cannot be edited in place at all.

use std::collections::BTreeMap;
use std::ops::Range;

use palisade_model::{Map, Span, SpanEntry, SpanTree, Value};

use super::align::{Step, align};
use super::text::Text;
use crate::write::{Layout, Quotes, flow, flow_member, inline, literal};

/// A replacement of a range of the source.
#[derive(Debug)]
pub(super) struct Edit {
    pub(super) range: Range<usize>,
    pub(super) text: String,
}

/// Where a node stands.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Root,
    Item,
    Member(Span),
}

/// A document's replacements being collected.
pub(super) struct Plan<'a> {
    pub(super) text: Text<'a>,
    pub(super) layout: Layout,
    /// The file is JSON: everything is written as JSON.
    pub(super) json: bool,
    pub(super) edits: Vec<Edit>,
}

type Done = Option<()>;

/// A member of a mapping in the text.
#[derive(Clone, Copy)]
struct Member<'a> {
    name: &'a str,
    value: &'a Value,
    entry: &'a SpanEntry,
}

impl Member<'_> {
    fn start(&self) -> usize {
        self.entry.key.start as usize
    }

    fn end(&self) -> usize {
        self.entry.key.end.max(self.entry.tree.span.end) as usize
    }
}

impl Plan<'_> {
    pub(super) fn node(&mut self, old: &Value, tree: &SpanTree, new: &Value, place: Place, inside_flow: bool) -> Done {
        if old == new {
            return Some(());
        }
        let first = self.text.at(tree.span.start as usize);
        match (old, new) {
            (Value::Object(old), Value::Object(new)) if !old.is_empty() && !new.is_empty() => match first {
                b'{' => self.flow_mapping(old, tree, new, place, inside_flow),
                _ if inside_flow || self.is_alias(tree) => {
                    self.replace(tree, &Value::Object(new.clone()), place, inside_flow)
                }
                _ => self.block_mapping(old, tree, new, place),
            },
            (Value::Array(old), Value::Array(items)) if !old.is_empty() && !items.is_empty() => match first {
                b'[' => self.flow_sequence(old, tree, items, place, inside_flow),
                b'-' if !inside_flow => self.block_sequence(old, tree, items, place),
                _ => self.replace(tree, new, place, inside_flow),
            },
            _ => self.replace(tree, new, place, inside_flow),
        }
    }

    fn is_alias(&self, tree: &SpanTree) -> bool {
        let token = self.text.slice(tree.span.start as usize, tree.span.end as usize);
        token
            .strip_prefix('*')
            .is_some_and(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')))
    }

    fn push(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.edits.push(Edit { range, text: text.into() });
    }

    fn block_mapping(&mut self, old: &Map, tree: &SpanTree, new: &Map, place: Place) -> Done {
        let column = self.text.column(tree.span.start as usize);
        let mut own = Vec::new();
        let mut added = Vec::new();
        for ((name, value), entry) in old.iter().zip(&tree.children) {
            let member = Member { name, value, entry };
            let within = entry.key.start >= tree.span.start && entry.key.end <= tree.span.end;
            // Anything else came from a merge: it can be overridden, but not edited or deleted here.
            if within && self.text.column(member.start()) == column && self.text.after_colon(entry.key).is_some() {
                own.push(member);
            } else {
                match new.get(name) {
                    Some(wanted) if wanted == value => {}
                    Some(wanted) => added.push((&**name, wanted)),
                    None => return self.replace(tree, &Value::object(new.clone()), place, false),
                }
            }
        }
        own.sort_by_key(Member::start);
        let kept: Vec<Member<'_>> = own.iter().filter(|member| new.contains_key(member.name)).copied().collect();
        let Some(last) = kept.last() else {
            return self.replace(tree, &Value::object(new.clone()), place, false);
        };
        added.extend(new.iter().filter(|(name, _)| !old.contains_key(name)).map(|(name, value)| (&**name, value)));
        let tail = self.text.tail(&last.entry.tree);
        self.delete_members(&own, new);
        for member in kept {
            self.node(member.value, &member.entry.tree, new.get(member.name)?, Place::Member(member.entry.key), false)?;
        }
        // After what the last member gains at the same place, which is part of it.
        for (name, value) in added {
            let pad = " ".repeat(column);
            self.push(tail..tail, format!("\n{pad}{}", self.layout.member(name, value, column)));
        }
        Some(())
    }

    fn delete_members(&mut self, own: &[Member<'_>], new: &Map) {
        let mut rest = own;
        if let Some((first, _)) = own.split_first().filter(|(first, _)| !self.text.leads_line(first.start())) {
            // The first key stands behind a dash: the first one that stays moves up to it.
            let at = own.iter().position(|member| new.contains_key(member.name)).unwrap_or(0);
            rest = own.get(at..).unwrap_or_default();
            if let (true, Some(staying)) = (at > 0, rest.first()) {
                self.push(first.start()..staying.start(), "");
            }
        }
        for member in rest.iter().filter(|member| !new.contains_key(member.name)) {
            let range = self.text.line_start(member.start())..self.text.next_line(self.text.tail(&member.entry.tree));
            self.push(range, "");
        }
    }

    fn flow_mapping(&mut self, old: &Map, tree: &SpanTree, new: &Map, place: Place, inside: bool) -> Done {
        let mut own: Vec<Member<'_>> =
            old.iter().zip(&tree.children).map(|((name, value), entry)| Member { name, value, entry }).collect();
        let foreign = |key: Span| key.start < tree.span.start || key.end > tree.span.end;
        if own.iter().any(|member| foreign(member.entry.key)) || !own.iter().any(|m| new.contains_key(m.name)) {
            return self.replace(tree, &Value::object(new.clone()), place, inside);
        }
        own.sort_by_key(Member::start);
        let places: Vec<_> = own.iter().map(|m| (m.start()..m.end(), new.contains_key(m.name))).collect();
        let added: Vec<_> = new
            .iter()
            .filter(|(name, _)| !old.contains_key(name))
            .map(|(name, value)| {
                self.flow_member(name, value, places.first().map_or(0, |(range, _)| range.start), tree)
            })
            .map(|text| (places.iter().rposition(|(_, kept)| *kept), text))
            .collect();
        for member in own {
            if let Some(wanted) = new.get(member.name) {
                self.node(member.value, &member.entry.tree, wanted, Place::Member(member.entry.key), true)?;
            }
        }
        // After what is written into an empty place at the same offset.
        self.flow_entries(&places, added, tree)
    }

    fn flow_member(&self, name: &str, value: &Value, near: usize, tree: &SpanTree) -> String {
        if !self.json {
            return flow_member(name, value);
        }
        let colon = if self.is_compact(tree) { ":" } else { ": " };
        format!("{}{colon}{}", Value::from(name).to_json(), self.added(value, near, tree))
    }

    /// Deletes the entries of a flow collection that do not stay, and adds new ones, each behind the entry that is given,
    /// which stays, or before the first that does.
    fn flow_entries(
        &mut self,
        entries: &[(Range<usize>, bool)],
        added: Vec<(Option<usize>, String)>,
        tree: &SpanTree,
    ) -> Done {
        let first_kept = entries.iter().position(|(_, kept)| *kept)?;
        let last_kept = entries.iter().rposition(|(_, kept)| *kept)?;
        let last = &entries.get(last_kept)?.0;
        let pad = " ".repeat(self.text.column(last.start));
        let own_line = self.text.line_start(last.start) > self.text.line_start(tree.span.start as usize);
        let separator = if own_line && self.text.leads_line(last.start) {
            format!(",\n{pad}")
        } else if self.is_compact(tree) {
            ",".to_owned()
        } else {
            ", ".to_owned()
        };
        let ends_open = added.iter().all(|(behind, _)| *behind != Some(last_kept));
        let mut behind_comments: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for (behind, text) in added {
            if let Some(at) = behind {
                let end = entries.get(at)?.0.end;
                if !self.json && self.text.has_comment(self.text.behind_comma(end)) {
                    behind_comments.entry(end).or_default().push(text);
                } else {
                    self.push(end..end, format!("{separator}{text}"));
                }
            } else {
                let start = entries.get(first_kept)?.0.start;
                self.push(start..start, format!("{text}{separator}"));
            }
        }
        for (end, texts) in behind_comments {
            self.add_behind_comment(end, &texts, &pad);
        }
        if self.has_comments_between(entries, tree) {
            self.delete_beside_comments(entries, ends_open.then_some(last_kept));
            return Some(());
        }
        for (at, (range, _)) in entries.iter().enumerate().filter(|(_, (_, kept))| !kept) {
            if at < first_kept {
                self.push(range.start..entries.get(at + 1)?.0.start, "");
            } else {
                self.push(entries.get(at - 1)?.0.end..range.end, "");
            }
        }
        Some(())
    }

    /// Adds entries on lines of their own: the comment behind the entry that ends at `end` stays that entry's.
    fn add_behind_comment(&mut self, end: usize, texts: &[String], pad: &str) {
        let comma = self.text.behind_comma(end);
        let mut text = texts.join(&format!(",\n{pad}"));
        if comma == end {
            self.push(end..end, ",");
        } else {
            text.push(',');
        }
        let line = self.text.line_end(comma);
        self.push(line..line, format!("\n{pad}{text}"));
    }

    fn has_comments_between(&self, entries: &[(Range<usize>, bool)], tree: &SpanTree) -> bool {
        let starts = entries.iter().map(|(range, _)| range.start).chain([tree.span.end as usize]);
        let ends = [tree.span.start as usize].into_iter().chain(entries.iter().map(|(range, _)| range.end));
        !self.json && ends.zip(starts).any(|(end, start)| self.text.slice(end, start).contains('#'))
    }

    /// Deletes entries, each with the comma and the comment behind it, and no other's. `open` is the last that stays,
    /// where nothing follows it.
    fn delete_beside_comments(&mut self, entries: &[(Range<usize>, bool)], open: Option<usize>) {
        for (range, _) in entries.iter().filter(|(_, kept)| !kept) {
            let comma = self.text.behind_comma(range.end);
            let lines = self.text.ends_line(comma);
            if lines && self.text.leads_line(range.start) {
                self.push(self.text.line_start(range.start)..self.text.next_line(comma), "");
            } else if lines {
                self.push(range.start..self.text.line_end(comma), "");
            } else {
                self.push(range.start..self.text.behind_blanks(comma), "");
            }
        }
        let closing = entries.last().map_or(0, |(range, _)| range.end);
        if let Some((last, _)) = open.and_then(|at| entries.get(at)).filter(|(last, _)| last.end < closing)
            && self.text.behind_comma(closing) == closing
        {
            self.push(last.end..self.text.behind_comma(last.end), "");
        }
    }

    /// Whether a collection of JSON is written on one line without blanks.
    fn is_compact(&self, tree: &SpanTree) -> bool {
        let text = self.text.slice(tree.span.start as usize, tree.span.end as usize);
        self.json && !text.contains([' ', '\n'])
    }

    fn flow_sequence(&mut self, old: &[Value], tree: &SpanTree, new: &[Value], place: Place, inside: bool) -> Done {
        let steps = align(old, new);
        if !steps.iter().any(|step| matches!(step, Step::Keep(..))) {
            return self.replace(tree, &Value::array(new.to_vec()), place, inside);
        }
        let mut places: Vec<_> = tree.children.iter().map(|child| (child.tree.span.range(), false)).collect();
        let mut added = Vec::new();
        let mut previous = None;
        for step in steps {
            match step {
                Step::Keep(o, n) => {
                    places.get_mut(o)?.1 = true;
                    previous = Some(o);
                    self.node(old.get(o)?, &tree.children.get(o)?.tree, new.get(n)?, Place::Item, true)?;
                }
                Step::Insert(n) => added.push((previous, self.added(new.get(n)?, places.first()?.0.start, tree))),
                Step::Delete(_) => {}
            }
        }
        self.flow_entries(&places, added, tree)
    }

    fn block_sequence(&mut self, old: &[Value], tree: &SpanTree, new: &[Value], place: Place) -> Done {
        let steps = align(old, new);
        let column = self.text.column(tree.span.start as usize);
        let kept = steps.iter().find_map(|step| if let Step::Keep(o, _) = step { Some(*o) } else { None });
        let Some(first_kept) = kept else {
            return self.replace(tree, &Value::array(new.to_vec()), place, false);
        };
        let child = |at: usize| tree.children.get(at).map(|child| &child.tree);
        let dash = |plan: &Self, at: usize| plan.text.dash(child(at)?.span.start as usize, column);
        let first_dash = dash(self, first_kept)?;
        let compact = !self.text.leads_line(tree.span.start as usize);
        if compact && first_kept > 0 {
            self.push(tree.span.start as usize..first_dash, "");
        }
        let pad = " ".repeat(column);
        let mut previous = None;
        for step in steps {
            match step {
                Step::Keep(o, n) => {
                    previous = Some(o);
                    self.node(old.get(o)?, child(o)?, new.get(n)?, Place::Item, false)?;
                }
                Step::Delete(o) if compact && o < first_kept => {}
                Step::Delete(o) => {
                    let range = self.text.line_start(dash(self, o)?)..self.text.next_line(self.text.tail(child(o)?));
                    self.push(range, "");
                }
                Step::Insert(n) => {
                    let item = self.layout.node(&Value::array(vec![new.get(n)?.clone()]), column);
                    match previous {
                        Some(o) => {
                            let tail = self.text.tail(child(o)?);
                            self.push(tail..tail, format!("\n{pad}{item}"));
                        }
                        None => self.push(first_dash..first_dash, format!("{item}\n{pad}")),
                    }
                }
            }
        }
        Some(())
    }

    /// Writes a node anew in the place of the old one.
    fn replace(&mut self, tree: &SpanTree, new: &Value, place: Place, inside_flow: bool) -> Done {
        let span = tree.span.range();
        if inside_flow || self.json {
            let before = self.text.slice(0, span.start);
            let missing = match place {
                Place::Member(key) if tree.span.is_empty() && self.text.after_colon(key).is_none() => ": ",
                _ if tree.span.is_empty() && !before.ends_with([' ', '\n']) => " ",
                _ => "",
            };
            let near = if let Place::Member(key) = place { key.start as usize } else { span.start };
            self.push(span, format!("{missing}{}", self.one(new, near)));
            return Some(());
        }
        let Place::Member(key) = place else {
            self.replace_inline(tree, new, place);
            return Some(());
        };
        let column = self.text.column(key.start as usize);
        let single_token = tree.children.is_empty() || matches!(self.text.at(span.start), b'{' | b'[' | b'*');
        if let (true, false, Some(text)) = (single_token, self.holds_comments(tree), self.token(new, tree)) {
            self.push(span, text);
            return Some(());
        }
        let colon = self.text.after_colon(key)?;
        let (comment, end) = self.comment(colon, tree);
        self.push(colon..end.max(colon), behind_first_line(&self.layout.after_key(new, column), &comment));
        Some(())
    }

    /// Replaces an item or the root, which begins where the old one did.
    fn replace_inline(&mut self, tree: &SpanTree, new: &Value, place: Place) {
        let span = tree.span.range();
        let column = self.text.column(span.start);
        if let (false, Some(text)) = (self.holds_comments(tree), self.token(new, tree)) {
            self.push(span, text);
            return;
        }
        let behind_marker = matches!(place, Place::Root)
            && self.text.slice(self.text.line_start(span.start), span.start).starts_with("---");
        let text = if behind_marker {
            format!("\n{}", self.layout.node(new, 0))
        } else if tree.span.is_empty() {
            format!(" {}", self.layout.node(new, column + 1))
        } else {
            self.layout.node(new, column)
        };
        let (comment, end) = self.comment(span.start, tree);
        self.push(span.start..end.max(span.start), behind_first_line(&text, &comment));
    }

    /// Whether a node is absent, or has several lines on which comments may stand: no one token to put another for.
    fn holds_comments(&self, tree: &SpanTree) -> bool {
        let (start, end) = (tree.span.start as usize, tree.span.end as usize);
        let quoted = matches!(self.text.at(start), b'"' | b'\'');
        start == end || !quoted && self.text.slice(start, end).contains('\n')
    }

    /// The comments that belong to a node and not to what is inside it, with the blanks before them, and where the node
    /// ends with them; `from` is behind its key's colon, or where an item begins.
    fn comment(&self, from: usize, tree: &SpanTree) -> (String, usize) {
        let span = tree.span.range();
        let first = self.text.at(span.start);
        let line = self.text.slice(from, self.text.line_end(from));
        let below = self.text.line_start(span.start) > from;
        if span.is_empty() || below && from < span.start {
            let own = comment_of(line).unwrap_or_default().to_owned();
            let end = if span.is_empty() { self.text.line_end(from) } else { span.end };
            let more = if below && !tree.children.is_empty() && !matches!(first, b'{' | b'[') {
                self.text.rest_of_line(end).map(|rest| (String::new(), rest.1))
            } else if span.is_empty() {
                None
            } else {
                self.text.rest_of_line(end)
            };
            let (last, end) = more.unwrap_or((String::new(), end));
            return (joined(&own, &last), end);
        }
        let header = self.text.slice(span.start, self.text.line_end(span.start));
        match first {
            b'|' | b'>' => (comment_of(header).unwrap_or_default().to_owned(), span.end),
            b'{' | b'[' => {
                let opening = self.text.slice(span.start + 1, self.text.line_end(span.start));
                let own = if opening.trim_start().starts_with('#') { opening } else { "" };
                let (last, end) = self.text.rest_of_line(span.end).unwrap_or((String::new(), span.end));
                (joined(own, &last), end)
            }
            // What stands behind a block collection is about its last member, which goes.
            _ if !tree.children.is_empty() && first != b'*' => {
                (String::new(), self.text.rest_of_line(span.end).map_or(span.end, |(_, end)| end))
            }
            _ => self.text.rest_of_line(span.end).unwrap_or((String::new(), span.end)),
        }
    }

    /// A scalar or empty collection on one line, in the quotes of the old one; `None` for anything longer.
    fn token(&self, new: &Value, tree: &SpanTree) -> Option<String> {
        match new {
            Value::String(text) => {
                let quotes = match self.text.at(tree.span.start as usize) {
                    b'"' => Quotes::Double,
                    b'\'' => Quotes::Single,
                    _ => Quotes::Plain,
                };
                literal(text, 2).is_none().then(|| inline(text, quotes))
            }
            Value::Array(items) if !items.is_empty() => None,
            Value::Object(map) if !map.is_empty() => None,
            other => Some(flow(other)),
        }
    }

    /// A node added to a collection: on one line where the collection stands on one.
    fn added(&self, value: &Value, near: usize, tree: &SpanTree) -> String {
        let lines = self.text.slice(tree.span.start as usize, tree.span.end as usize).contains('\n');
        if self.json && !lines { value.to_json() } else { self.one(value, near) }
    }

    /// A node as one piece of flow style or JSON; `near` is where its line begins to count.
    fn one(&self, value: &Value, near: usize) -> String {
        if !self.json {
            return flow(value);
        }
        if !self.text.has_lines() {
            return value.to_json();
        }
        let base = self.text.indentation(near);
        let mut out = String::new();
        for (at, line) in value.to_json_pretty().split('\n').enumerate() {
            let body = line.trim_start_matches(' ');
            if at > 0 {
                out.push('\n');
                out.push_str(&base);
                out.push_str(&" ".repeat((line.len() - body.len()) / 2 * self.layout.step));
            }
            out.push_str(body);
        }
        out
    }
}

/// The comment at the end of a line outside quotes, with the blanks before it.
fn comment_of(line: &str) -> Option<&str> {
    let at = line.char_indices().find_map(|(at, c)| {
        let blank = line.get(..at).is_some_and(|before| before.ends_with([' ', '\t']));
        (c == '#' && blank).then_some(at)
    })?;
    let before = line.get(..at)?.trim_end_matches([' ', '\t']);
    line.get(before.len()..)
}

/// Two comments as one of one line.
fn joined(first: &str, second: &str) -> String {
    format!("{}{second}", first.trim_end())
}

fn behind_first_line(text: &str, comment: &str) -> String {
    match text.split_once('\n') {
        Some((first, rest)) => format!("{first}{comment}\n{rest}"),
        None => format!("{text}{comment}"),
    }
}
