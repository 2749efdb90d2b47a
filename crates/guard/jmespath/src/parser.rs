//! Tokens to a tree, by operator precedence, as Kyverno's fork of go-jmespath reads them.
//!
//! The `jmespath` crate's parser is not used: it has no depth limit, so that 20,000 parentheses abort the process, and
//! it is stricter than the fork (a trailing comma in a call, members without commas), so that policies which Kyverno
//! accepts would be rejected. See `docs/decisions/0002-own-jmespath-parser.md`.

use std::sync::OnceLock;

use palisade_model::{Relation, Str};

use super::ParseError;
use super::ast::{Call, Filter, Node};
use super::functions::Function;
use super::lexer::{Token, TokenKind, tokenize};

/// How deep a tree may be. Expressions in public libraries stay under 20.
const MAX_DEPTH: usize = 128;

/// How long an expression may be, in bytes.
const MAX_LENGTH: usize = 256 * 1024;

/// Parses an expression.
pub(super) fn parse(text: &str) -> Result<Node, ParseError> {
    if text.len() > MAX_LENGTH {
        return Err(ParseError { message: format!("longer than {MAX_LENGTH} bytes"), offset: MAX_LENGTH });
    }
    let mut parser = Parser { tokens: tokenize(text)?, position: 0, level: 0 };
    let tree = parser.expression(0)?;
    match parser.peek() {
        TokenKind::End => Ok(tree.node),
        _ => Err(parser.error("the expression should end here")),
    }
}

/// A node and the number of levels below and including it.
struct Tree {
    node: Node,
    depth: usize,
}

impl From<Node> for Tree {
    fn from(node: Node) -> Self {
        Self { node, depth: 1 }
    }
}

type Parsed = Result<Tree, ParseError>;

struct Parser {
    tokens: Vec<Token>,
    position: usize,
    level: usize,
}

/// How strongly a token binds what stands left of it; 0 ends an expression.
fn power(token: &TokenKind) -> u8 {
    match token {
        TokenKind::Pipe => 1,
        TokenKind::Or => 2,
        TokenKind::And => 3,
        TokenKind::Equal
        | TokenKind::NotEqual
        | TokenKind::Less
        | TokenKind::LessOrEqual
        | TokenKind::Greater
        | TokenKind::GreaterOrEqual => 5,
        TokenKind::Flatten => 9,
        TokenKind::Star => 20,
        TokenKind::Filter => 21,
        TokenKind::Dot => 40,
        TokenKind::Not => 45,
        TokenKind::LeftBrace => 50,
        TokenKind::LeftBracket => 55,
        TokenKind::LeftParen => 60,
        _ => 0,
    }
}

const STAR: u8 = 20;
const FILTER: u8 = 21;
const FLATTEN: u8 = 9;
const DOT: u8 = 40;
const NOT: u8 = 45;

impl Parser {
    fn at(&self, position: usize) -> &TokenKind {
        self.tokens.get(position).map_or(&TokenKind::End, |token| &token.kind)
    }

    fn peek(&self) -> &TokenKind {
        self.at(self.position)
    }

    fn next(&mut self) -> TokenKind {
        let kind = self.peek().clone();
        self.position += 1;
        kind
    }

    fn eat(&mut self, kind: &TokenKind) -> bool {
        let found = self.peek() == kind;
        self.position += usize::from(found);
        found
    }

    fn expect(&mut self, kind: &TokenKind, what: &str) -> Result<(), ParseError> {
        if self.eat(kind) { Ok(()) } else { Err(self.error(format!("expected {what}"))) }
    }

    fn error(&self, message: impl Into<String>) -> ParseError {
        self.error_at(message, self.position)
    }

    fn error_at(&self, message: impl Into<String>, position: usize) -> ParseError {
        let token = self.tokens.get(position).or(self.tokens.last());
        ParseError { message: message.into(), offset: token.map_or(0, |token| token.offset) }
    }

    /// A node over children of which the deepest has `depth` levels.
    fn grow(&self, depth: usize, node: Node) -> Parsed {
        if depth >= MAX_DEPTH {
            return Err(self.error(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Tree { node, depth: depth + 1 })
    }

    fn pair(&self, left: Tree, right: Tree, make: impl Fn(Box<Node>, Box<Node>) -> Node) -> Parsed {
        self.grow(left.depth.max(right.depth), make(Box::new(left.node), Box::new(right.node)))
    }

    fn expression(&mut self, binding: u8) -> Parsed {
        if self.level >= MAX_DEPTH {
            return Err(self.error(format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.level += 1;
        let mut left = self.prefix()?;
        while binding < power(self.peek()) {
            left = self.infix(left)?;
        }
        self.level -= 1;
        Ok(left)
    }

    /// An expression's beginning.
    fn prefix(&mut self) -> Parsed {
        let start = self.position;
        match self.next() {
            TokenKind::Literal(value) => Ok(Node::Literal(value).into()),
            TokenKind::Identifier(name) => Ok(Node::Field(name.into()).into()),
            TokenKind::QuotedIdentifier(name) => match self.peek() {
                TokenKind::LeftParen => Err(self.error_at("a function's name is not quoted", start)),
                _ => Ok(Node::Field(name.into()).into()),
            },
            TokenKind::Star => {
                let right = match self.peek() {
                    TokenKind::RightBracket => Node::Current.into(),
                    _ => self.projected(STAR)?,
                };
                self.pair(Node::Current.into(), right, Node::ProjectValues)
            }
            TokenKind::Filter => self.filter(Node::Current.into()),
            TokenKind::LeftBrace => self.hash(),
            TokenKind::Flatten => self.flatten(Node::Current.into()),
            TokenKind::LeftBracket => self.bracket_prefix(),
            TokenKind::Current => Ok(Node::Current.into()),
            TokenKind::Ampersand => {
                let tree = self.expression(0)?;
                self.grow(tree.depth, Node::Reference(Box::new(tree.node)))
            }
            TokenKind::Not => {
                let tree = self.expression(NOT)?;
                self.grow(tree.depth, Node::Not(Box::new(tree.node)))
            }
            TokenKind::LeftParen => {
                let tree = self.expression(0)?;
                self.expect(&TokenKind::RightParen, "`)`")?;
                Ok(tree)
            }
            TokenKind::End => Err(self.error_at("the expression is incomplete", start)),
            _ => Err(self.error_at("expected an expression", start)),
        }
    }

    /// What follows an expression.
    fn infix(&mut self, left: Tree) -> Parsed {
        let start = self.position;
        match self.next() {
            TokenKind::Dot if self.eat(&TokenKind::Star) => {
                let right = self.projected(DOT)?;
                self.pair(left, right, Node::ProjectValues)
            }
            TokenKind::Dot => {
                let right = self.after_dot(DOT)?;
                self.pair(left, right, Node::Chain)
            }
            TokenKind::Pipe => self.binary(left, &TokenKind::Pipe, Node::Pipe),
            TokenKind::Or => self.binary(left, &TokenKind::Or, Node::Or),
            TokenKind::And => self.binary(left, &TokenKind::And, Node::And),
            TokenKind::Equal => self.comparison(left, Relation::Equal),
            TokenKind::NotEqual => self.comparison(left, Relation::NotEqual),
            TokenKind::Less => self.comparison(left, Relation::Less),
            TokenKind::LessOrEqual => self.comparison(left, Relation::LessOrEqual),
            TokenKind::Greater => self.comparison(left, Relation::Greater),
            TokenKind::GreaterOrEqual => self.comparison(left, Relation::GreaterOrEqual),
            TokenKind::Filter => self.filter(left),
            TokenKind::Flatten => self.flatten(left),
            TokenKind::LeftParen => match left.node {
                Node::Field(name) => self.call(name),
                _ => Err(self.error_at("only a function's name can be called", start)),
            },
            TokenKind::LeftBracket => match self.peek() {
                TokenKind::Number(_) | TokenKind::Colon => self.index(left),
                _ => {
                    self.expect(&TokenKind::Star, "a number, `:`, `*`, `?` or `]` after `[`")?;
                    self.expect(&TokenKind::RightBracket, "`]`")?;
                    let right = self.projected(STAR)?;
                    self.pair(left, right, Node::Project)
                }
            },
            _ => Err(self.error_at("expected an operator", start)),
        }
    }

    fn binary(&mut self, left: Tree, token: &TokenKind, make: impl Fn(Box<Node>, Box<Node>) -> Node) -> Parsed {
        let right = self.expression(power(token))?;
        self.pair(left, right, make)
    }

    fn comparison(&mut self, left: Tree, relation: Relation) -> Parsed {
        let right = self.expression(power(&TokenKind::Equal))?;
        self.pair(left, right, |left, right| Node::Compare(relation, left, right))
    }

    /// `[` at the beginning of an expression: an index, a projection of the current value, or a list of expressions.
    fn bracket_prefix(&mut self) -> Parsed {
        match (self.peek(), self.at(self.position + 1)) {
            (TokenKind::Number(_) | TokenKind::Colon, _) => self.index(Node::Current.into()),
            (TokenKind::Star, TokenKind::RightBracket) => {
                self.position += 2;
                let right = self.projected(STAR)?;
                self.pair(Node::Current.into(), right, Node::Project)
            }
            _ => self.list(),
        }
    }

    /// `[n]` or `[start:stop:step]`; a slice projects what follows.
    fn index(&mut self, left: Tree) -> Parsed {
        if *self.peek() != TokenKind::Colon && *self.at(self.position + 1) != TokenKind::Colon {
            let TokenKind::Number(index) = self.next() else { return Err(self.error("expected a number")) };
            self.expect(&TokenKind::RightBracket, "`]`")?;
            return self.pair(left, Node::Index(index).into(), Node::Chain);
        }
        let slice = self.slice()?;
        let sliced = self.pair(left, slice.into(), Node::Chain)?;
        let right = self.projected(STAR)?;
        self.pair(sliced, right, Node::Project)
    }

    fn slice(&mut self) -> Result<Node, ParseError> {
        let mut parts = [None; 3];
        let mut part = parts.iter_mut();
        let mut slot = part.next();
        while *self.peek() != TokenKind::RightBracket {
            match (self.next(), slot.as_mut()) {
                (TokenKind::Colon, Some(_)) => slot = part.next(),
                (TokenKind::Number(number), Some(slot)) => **slot = Some(number),
                _ => return Err(self.error_at("expected `:`, a number or `]`", self.position - 1)),
            }
        }
        self.expect(&TokenKind::RightBracket, "`]`")?;
        Ok(Node::Slice(parts))
    }

    fn flatten(&mut self, list: Tree) -> Parsed {
        let flattened = self.grow(list.depth, Node::Flatten(Box::new(list.node)))?;
        let right = self.projected(FLATTEN)?;
        self.pair(flattened, right, Node::Project)
    }

    fn filter(&mut self, list: Tree) -> Parsed {
        let condition = self.expression(0)?;
        self.expect(&TokenKind::RightBracket, "`]`")?;
        let each = match self.peek() {
            TokenKind::Flatten => Node::Current.into(),
            _ => self.projected(FILTER)?,
        };
        let depth = list.depth.max(condition.depth).max(each.depth);
        let filter = Filter { list: list.node, condition: condition.node, each: each.node };
        self.grow(depth, Node::Filter(Box::new(filter)))
    }

    /// What a projection applies to each element.
    fn projected(&mut self, binding: u8) -> Parsed {
        match self.peek() {
            TokenKind::LeftBracket | TokenKind::Filter => self.expression(binding),
            TokenKind::Dot => {
                self.position += 1;
                self.after_dot(binding)
            }
            token if power(token) < 10 => Ok(Node::Current.into()),
            _ => Err(self.error("expected `.`, `[` or the end of the projection")),
        }
    }

    fn after_dot(&mut self, binding: u8) -> Parsed {
        match self.peek() {
            TokenKind::Identifier(_) | TokenKind::QuotedIdentifier(_) | TokenKind::Star => self.expression(binding),
            TokenKind::LeftBracket => {
                self.position += 1;
                self.list()
            }
            TokenKind::LeftBrace => {
                self.position += 1;
                self.hash()
            }
            _ => Err(self.error("expected a name, `[` or `{` after `.`")),
        }
    }

    fn list(&mut self) -> Parsed {
        let (mut items, mut depth) = (Vec::new(), 0);
        loop {
            let item = self.expression(0)?;
            depth = depth.max(item.depth);
            items.push(item.node);
            if self.eat(&TokenKind::RightBracket) {
                return self.grow(depth, Node::List(items));
            }
            self.expect(&TokenKind::Comma, "`,` or `]`")?;
        }
    }

    fn hash(&mut self) -> Parsed {
        let (mut members, mut depth) = (Vec::<(Str, Node)>::new(), 0);
        loop {
            let (TokenKind::Identifier(key) | TokenKind::QuotedIdentifier(key)) = self.next() else {
                return Err(self.error_at("expected a key", self.position - 1));
            };
            self.expect(&TokenKind::Colon, "`:` after the key")?;
            let member = self.expression(0)?;
            depth = depth.max(member.depth);
            members.push((key.into(), member.node));
            if !self.eat(&TokenKind::Comma) && self.eat(&TokenKind::RightBrace) {
                return self.grow(depth, Node::Hash(members));
            }
        }
    }

    fn call(&mut self, name: Str) -> Parsed {
        let (mut arguments, mut depth) = (Vec::new(), 0);
        while !self.eat(&TokenKind::RightParen) {
            let argument = self.expression(0)?;
            depth = depth.max(argument.depth);
            arguments.push(argument.node);
            self.eat(&TokenKind::Comma);
        }
        let function = Function::named(&name);
        self.grow(depth, Node::Call(Box::new(Call { name, function, arguments, regex: OnceLock::new() })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_follows_the_fork() {
        for (text, expected) in [
            ("!a.b", "Chain(Not(Field(\"a\")), Field(\"b\"))"),
            ("a || b && c", "Or(Field(\"a\"), And(Field(\"b\"), Field(\"c\")))"),
            ("a[].b[]", "Project(Flatten(Project(Flatten(Field(\"a\")), Field(\"b\"))), Current)"),
            ("a == b | c", "Pipe(Compare(Equal, Field(\"a\"), Field(\"b\")), Field(\"c\"))"),
            ("a[1:].b", "Project(Chain(Field(\"a\"), Slice([Some(1), None, None])), Field(\"b\"))"),
        ] {
            assert_eq!(format!("{:?}", parse(text).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn lenient_where_the_fork_is() {
        for text in ["length(a,)", "replace_all(a 'b' 'c')", "{a: b c: d}", "*[0]", "@.*"] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn errors_name_the_place() {
        for (text, offset) in [
            ("", 0),
            ("a.", 2),
            ("a ? b : c", 2),
            ("a[", 2),
            ("`x`", 0),
            ("'x", 0),
            ("a b", 2),
            ("[a,]", 3),
            ("a[1:2:3:4]", 8),
            ("\"a\"(b)", 0),
            ("-", 0),
            ("\u{e9}", 0),
            ("f(", 2),
        ] {
            assert_eq!(parse(text).unwrap_err().offset, offset, "{text}");
        }
    }

    #[test]
    fn hostile_nesting_is_refused() {
        for unit in ["(", "!", "[", "a.", "a||", "{a:", "&", "f(", "*.", "a[?", "[]", "a|", "[0]"] {
            let text = unit.repeat(20_000);
            assert!(parse(&text).is_err(), "{unit}");
            assert!(parse(&format!("{text}a")).is_err(), "{unit}");
        }
        let value = format!("`{}1{}`", "[".repeat(50_000), "]".repeat(50_000));
        assert!(matches!(parse(&value), Err(ParseError { .. })));
    }
}
