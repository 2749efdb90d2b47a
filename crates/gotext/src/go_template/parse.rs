//! Template text to a tree.

use std::collections::HashMap;

use super::token::{Kind, Token, tokens};

/// How deeply blocks and parentheses may be nested.
const MAX_DEPTH: usize = 100;

/// The name of the text itself.
pub(super) const MAIN: &str = "template";

/// Templates by name.
pub(super) type Templates = HashMap<String, Vec<Node>>;

/// A piece of a template.
#[derive(Debug)]
pub(super) enum Node {
    Text(String),
    Action(Pipeline),
    If(Pipeline, Vec<Node>, Vec<Node>),
    With(Pipeline, Vec<Node>, Vec<Node>),
    Range(Pipeline, Vec<Node>, Vec<Node>),
    Template(String, Option<Pipeline>),
    Break,
    Continue,
}

/// Commands, each given the answer of the one before, and the variables that the last answer goes to.
#[derive(Debug, Default)]
pub(super) struct Pipeline {
    pub(super) variables: Vec<String>,
    /// Whether the variables are new (`:=`) or are there (`=`).
    pub(super) declares: bool,
    pub(super) commands: Vec<Vec<Operand>>,
}

/// A word with the fields behind it.
#[derive(Debug)]
pub(super) struct Operand {
    pub(super) head: Head,
    pub(super) fields: Vec<String>,
}

#[derive(Debug)]
pub(super) enum Head {
    Dot,
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Variable(String),
    Function(String),
    Pipeline(Pipeline),
}

/// A piece of the text: what stands between actions, or an action.
enum Piece<'a> {
    Text(&'a str),
    Action(Vec<Token>),
}

/// All templates of a text.
pub(super) fn templates(text: &str) -> Result<Templates, String> {
    let mut parser = Parser { pieces: pieces(text)?.into_iter(), templates: HashMap::new(), loops: 0 };
    let (main, end) = parser.block(0)?;
    if let Some(word) = end {
        return Err(format!("unexpected {{{{{}}}}}", word.word));
    }
    parser.templates.insert(MAIN.to_owned(), main);
    Ok(parser.templates)
}

/// The text cut at its actions; `{{-` and `-}}` take the space around away.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let trimmed = after.strip_prefix('-').filter(|after| after.starts_with(SPACE));
        pieces.push(Piece::Text(if trimmed.is_some() { before.trim_end_matches(SPACE) } else { before }));
        let action = trimmed.unwrap_or(after);
        let comment = action.trim_start_matches(SPACE).strip_prefix("/*");
        let (inner, behind) = if let Some(comment) = comment {
            let behind = comment.split_once("*/").ok_or("unclosed comment")?.1;
            let close = behind.find("}}").ok_or("comment ends before closing delimiter")?;
            ("", behind.split_at_checked(close).unwrap_or_default())
        } else {
            let close = end_of_action(action).ok_or("unclosed action")?;
            let (inner, behind) = action.split_at_checked(close).unwrap_or_default();
            (inner, (inner, behind))
        };
        let (last, behind) = behind;
        let trims = last.strip_suffix('-').filter(|last| last.ends_with(SPACE));
        rest = behind.strip_prefix("}}").unwrap_or_default();
        if trims.is_some() {
            rest = rest.trim_start_matches(SPACE);
        }
        if comment.is_none() {
            let inner = if trims.is_some() { inner.strip_suffix('-').unwrap_or(inner) } else { inner };
            pieces.push(Piece::Action(tokens(inner)?));
        }
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

/// Where the `}}` of an action is, outside of quotes.
fn end_of_action(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match quote {
            None if text.get(at..)?.starts_with("}}") => return Some(at),
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            Some(open) if c == open && !escaped => quote = None,
            _ => {}
        }
        escaped = quote.is_some_and(|quote| quote != '`') && c == '\\' && !escaped;
    }
    None
}

struct Parser<'a> {
    pieces: std::vec::IntoIter<Piece<'a>>,
    templates: Templates,
    /// How many `range`s are around.
    loops: usize,
}

/// The action that ends a block: `end`, or `else` with what follows it.
struct End {
    word: &'static str,
    rest: Words,
}

impl Parser<'_> {
    fn block(&mut self, depth: usize) -> Result<(Vec<Node>, Option<End>), String> {
        if depth > MAX_DEPTH {
            return Err(format!("blocks are nested deeper than {MAX_DEPTH} levels"));
        }
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.next() {
            let words = match piece {
                Piece::Text("") => continue,
                Piece::Text(text) => {
                    nodes.push(Node::Text(text.to_owned()));
                    continue;
                }
                Piece::Action(tokens) => Words { tokens: tokens.into_iter().peekable(), depth: 0 },
            };
            match self.action(words, depth)? {
                Action::Node(node) => nodes.push(node),
                Action::Nothing => {}
                Action::End(end) => return Ok((nodes, Some(end))),
            }
        }
        Ok((nodes, None))
    }

    fn action(&mut self, mut words: Words, depth: usize) -> Result<Action, String> {
        let keyword = match words.tokens.peek() {
            Some(Token { kind: Kind::Word(word), .. }) => word.clone(),
            None => return Err("missing value for command".to_owned()),
            _ => String::new(),
        };
        let node = match keyword.as_str() {
            "if" | "with" | "range" => {
                words.tokens.next();
                self.control(&keyword, words, depth)?
            }
            "end" => return Ok(Action::End(End { word: "end", rest: words })),
            "else" => {
                words.tokens.next();
                return Ok(Action::End(End { word: "else", rest: words }));
            }
            "break" | "continue" if self.loops == 0 => return Err(format!("{{{{{keyword}}}}} outside {{{{range}}}}")),
            "break" => Node::Break,
            "continue" => Node::Continue,
            "define" | "block" => {
                words.tokens.next();
                let name = words.name(&keyword)?;
                let pipeline = words.optional()?;
                let body = self.closed(&keyword, depth)?;
                self.templates.insert(name.clone(), body);
                if keyword == "define" {
                    return Ok(Action::Nothing);
                }
                Node::Template(name, pipeline)
            }
            "template" => {
                words.tokens.next();
                Node::Template(words.name("template")?, words.optional()?)
            }
            _ => Node::Action(words.whole("command")?),
        };
        Ok(Action::Node(node))
    }

    /// A block that has no `else`.
    fn closed(&mut self, keyword: &str, depth: usize) -> Result<Vec<Node>, String> {
        let loops = std::mem::take(&mut self.loops);
        let (body, end) = self.block(depth + 1)?;
        self.loops = loops;
        match end {
            Some(End { word: "end", .. }) => Ok(body),
            Some(_) => Err(format!("unexpected {{{{else}}}} in {keyword} clause")),
            None => Err("unexpected EOF".to_owned()),
        }
    }

    /// `if`, `with` or `range` with its branches.
    fn control(&mut self, keyword: &str, mut words: Words, depth: usize) -> Result<Node, String> {
        let pipeline = words.whole(keyword)?;
        self.loops += usize::from(keyword == "range");
        let (body, end) = self.block(depth + 1)?;
        self.loops -= usize::from(keyword == "range");
        let mut end = end.ok_or("unexpected EOF")?;
        let mut otherwise = Vec::new();
        if end.word == "else" {
            let chained = match end.rest.tokens.next().map(|token| token.kind) {
                None => None,
                Some(Kind::Word(word)) if word == keyword && word != "range" => Some(word),
                Some(_) => return Err(format!("unexpected words in {{{{else}}}} of {keyword}")),
            };
            if let Some(word) = chained {
                otherwise.push(self.control(&word, end.rest, depth + 1)?);
            } else {
                let (nodes, end) = self.block(depth + 1)?;
                otherwise = nodes;
                if end.ok_or("unexpected EOF")?.word != "end" {
                    return Err("expected end; found {{else}}".to_owned());
                }
            }
        }
        Ok(match keyword {
            "if" => Node::If(pipeline, body, otherwise),
            "with" => Node::With(pipeline, body, otherwise),
            _ => Node::Range(pipeline, body, otherwise),
        })
    }
}

enum Action {
    Node(Node),
    /// A definition.
    Nothing,
    End(End),
}

/// The words of an action that are left.
struct Words {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
}

impl Words {
    /// The quoted name of a template.
    fn name(&mut self, keyword: &str) -> Result<String, String> {
        match self.tokens.next().map(|token| token.kind) {
            Some(Kind::Text(name)) => Ok(name),
            _ => Err(format!("unexpected words in {keyword} clause: a quoted name is expected")),
        }
    }

    fn optional(&mut self) -> Result<Option<Pipeline>, String> {
        if self.tokens.peek().is_none() { Ok(None) } else { self.whole("template").map(Some) }
    }

    /// A pipeline up to the end of the action.
    fn whole(&mut self, place: &str) -> Result<Pipeline, String> {
        let pipeline = self.pipeline(place)?;
        match self.tokens.next() {
            None => Ok(pipeline),
            Some(_) => Err(format!("unexpected right paren in {place}")),
        }
    }

    fn sign(&mut self, sign: char) -> bool {
        self.tokens.next_if(|token| token.kind == Kind::Sign(sign)).is_some()
    }

    /// A pipeline up to a closing parenthesis or the end.
    fn pipeline(&mut self, place: &str) -> Result<Pipeline, String> {
        let mut pipeline = Pipeline::default();
        self.variables(&mut pipeline, place);
        loop {
            let mut command = Vec::new();
            while let Some(token) = self.tokens.peek() {
                match token.kind {
                    Kind::Sign('|' | ')') => break,
                    _ => command.push(self.operand()?),
                }
            }
            if matches!(command.as_slice(), [Operand { head: Head::Nil, .. }]) {
                return Err("nil is not a command".to_owned());
            }
            if command.is_empty() {
                return Err(format!("missing value for {place}"));
            }
            pipeline.commands.push(command);
            if !self.sign('|') {
                return Ok(pipeline);
            }
        }
    }

    /// `$x :=`, `$i, $x :=`, `$x =` in front of the commands.
    fn variables(&mut self, pipeline: &mut Pipeline, place: &str) {
        let ahead: Vec<Kind> = self.tokens.clone().take(4).map(|token| token.kind).collect();
        let (names, sign) = match ahead.as_slice() {
            [Kind::Variable(a), Kind::Sign(','), Kind::Variable(b), sign @ (Kind::Declare | Kind::Sign('='))]
                if place == "range" =>
            {
                (vec![a.clone(), b.clone()], sign)
            }
            [Kind::Variable(a), sign @ (Kind::Declare | Kind::Sign('=')), ..] => (vec![a.clone()], sign),
            _ => return,
        };
        pipeline.declares = *sign == Kind::Declare;
        for _ in 0..names.len() * 2 {
            self.tokens.next();
        }
        pipeline.variables = names;
    }

    fn operand(&mut self) -> Result<Operand, String> {
        let head = match self.tokens.next().map(|token| token.kind) {
            Some(Kind::Dot) => Head::Dot,
            Some(Kind::Field(name)) => {
                let mut fields = vec![name];
                self.fields(&mut fields);
                return Ok(Operand { head: Head::Dot, fields });
            }
            Some(Kind::Variable(name)) => Head::Variable(name),
            Some(Kind::Text(text)) => Head::Text(text),
            Some(Kind::Int(value)) => Head::Int(value),
            Some(Kind::Float(value)) => Head::Float(value),
            Some(Kind::Word(word)) => match word.as_str() {
                "true" | "false" => Head::Bool(word == "true"),
                "nil" => Head::Nil,
                name if super::functions::NAMES.contains(&name) => Head::Function(word),
                name => return Err(format!("function {name:?} not defined")),
            },
            Some(Kind::Sign('(')) => {
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return Err(format!("parentheses are nested deeper than {MAX_DEPTH} levels"));
                }
                let pipeline = self.pipeline("parenthesized pipeline")?;
                self.depth -= 1;
                if !self.sign(')') {
                    return Err("unclosed left paren".to_owned());
                }
                Head::Pipeline(pipeline)
            }
            other => return Err(format!("unexpected {other:?} in operand")),
        };
        let mut fields = Vec::new();
        self.fields(&mut fields);
        Ok(Operand { head, fields })
    }

    /// Fields directly behind.
    fn fields(&mut self, fields: &mut Vec<String>) {
        while let Some(Token { kind: Kind::Field(name), .. }) =
            self.tokens.next_if(|token| !token.spaced && matches!(token.kind, Kind::Field(_)))
        {
            fields.push(name);
        }
    }
}
