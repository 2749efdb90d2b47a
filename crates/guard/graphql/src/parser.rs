//! GraphQL text to trees in the shape of OPA's: each node is an object with its members and its `Position`, empty
//! members left out.

use palisade_rego_value::Value;

use crate::lexer::{Kind, Lexer, Place, Token};
use crate::tree::{list, node};

/// How deeply selections, values and types may be nested.
const MAX_NESTING: u32 = 60;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphqlError {
    /// What is wrong.
    pub message: String,
    /// Line and column, from 1.
    pub place: (i64, i64),
}

type Parsed<T> = Result<T, GraphqlError>;

pub(crate) struct Parser<'a> {
    lexer: Lexer<'a>,
    token: Token,
    nesting: u32,
}

/// `query`, `mutation`, `subscription`.
const OPERATIONS: [&str; 3] = ["query", "mutation", "subscription"];

/// Kinds of value by the number that OPA shows.
fn value_kind(token: &Token) -> Option<i64> {
    Some(match token.kind {
        Kind::Int => 1,
        Kind::Float => 2,
        Kind::String => 3,
        Kind::BlockString => 4,
        Kind::Name => match token.text.as_str() {
            "true" | "false" => 5,
            "null" => 6,
            _ => 7,
        },
        _ => return None,
    })
}

impl<'a> Parser<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let mut lexer = Lexer::new(text);
        let token = lexer.next();
        Self { lexer, token, nesting: 0 }
    }

    pub(crate) fn place(&self) -> Place {
        self.token.place
    }

    pub(crate) fn is_end(&self) -> bool {
        self.token.kind == Kind::End
    }

    pub(crate) fn next(&mut self) -> Token {
        let next = self.lexer.next();
        std::mem::replace(&mut self.token, next)
    }

    pub(crate) fn is(&self, punctuator: &str) -> bool {
        matches!(self.token.kind, Kind::Punctuator(found) if found == punctuator)
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.token.kind == Kind::Name && self.token.text == word
    }

    /// The name that stands here.
    pub(crate) fn word(&self) -> Option<&str> {
        (self.token.kind == Kind::Name).then_some(self.token.text.as_str())
    }

    pub(crate) fn skip(&mut self, punctuator: &str) -> bool {
        let found = self.is(punctuator);
        if found {
            self.next();
        }
        found
    }

    pub(crate) fn unexpected<T>(&self) -> Parsed<T> {
        Self::unexpected_token(&self.token)
    }

    pub(crate) fn unexpected_token<T>(token: &Token) -> Parsed<T> {
        Err(GraphqlError { message: format!("Unexpected {token}"), place: token.place })
    }

    fn expected<T>(&self, what: &str) -> Parsed<T> {
        Err(GraphqlError { message: format!("Expected {what}, found {}", self.token.kind), place: self.token.place })
    }

    pub(crate) fn expect(&mut self, punctuator: &str) -> Parsed<()> {
        if self.skip(punctuator) { Ok(()) } else { self.expected(punctuator) }
    }

    pub(crate) fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.is_word(word) {
            self.next();
            return Ok(());
        }
        let message = format!("Expected {word:?}, found {}", self.token);
        Err(GraphqlError { message, place: self.token.place })
    }

    pub(crate) fn name(&mut self) -> Parsed<String> {
        if self.token.kind == Kind::Name { Ok(self.next().text) } else { self.expected("Name") }
    }

    /// What stands in front of a definition; empty where nothing does.
    pub(crate) fn description(&mut self) -> String {
        let found = matches!(self.token.kind, Kind::String | Kind::BlockString);
        if found { self.next().text } else { String::new() }
    }

    /// Items between two punctuators, none where the first is absent; `some` asks for one at least.
    pub(crate) fn items(
        &mut self,
        [open, close]: [&str; 2],
        some: bool,
        mut item: impl FnMut(&mut Self) -> Parsed<Value>,
    ) -> Parsed<Value> {
        let mut items = Vec::new();
        if !self.skip(open) {
            return Ok(list(items));
        }
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            let message = format!("nested deeper than {MAX_NESTING} levels");
            return Err(GraphqlError { message, place: self.token.place });
        }
        while !self.is(close) {
            items.push(item(self)?);
        }
        self.nesting -= 1;
        if some && items.is_empty() {
            let message = format!("expected at least one definition, found {}", self.token.kind);
            return Err(GraphqlError { message, place: self.token.place });
        }
        self.next();
        Ok(list(items))
    }

    pub(crate) fn query_document(&mut self) -> Parsed<Value> {
        let (mut operations, mut fragments) = (Vec::new(), Vec::new());
        while !self.is_end() {
            if self.is("{") || self.word().is_some_and(|word| OPERATIONS.contains(&word)) {
                operations.push(self.operation()?);
            } else if self.is_word("fragment") {
                fragments.push(self.fragment_definition()?);
            } else {
                return self.unexpected();
            }
        }
        Ok(node((1, 1), [("Operations", list(operations)), ("Fragments", list(fragments))]))
    }

    fn operation(&mut self) -> Parsed<Value> {
        let place = self.place();
        if self.is("{") {
            let selections = self.selections()?;
            return Ok(node(place, [("Operation", "query".into()), ("Name", "".into()), ("SelectionSet", selections)]));
        }
        let operation = self.operation_type()?;
        let name = if self.token.kind == Kind::Name { self.name()? } else { String::new() };
        Ok(node(
            place,
            [
                ("Operation", operation.into()),
                ("Name", name.into()),
                ("VariableDefinitions", self.variable_definitions()?),
                ("Directives", self.directives(false)?),
                ("SelectionSet", self.selections()?),
            ],
        ))
    }

    pub(crate) fn operation_type(&mut self) -> Parsed<String> {
        let known = self.word().is_some_and(|word| OPERATIONS.contains(&word));
        if known { self.name() } else { self.unexpected() }
    }

    fn variable_definitions(&mut self) -> Parsed<Value> {
        self.items(["(", ")"], false, |parser| {
            let place = parser.place();
            parser.expect("$")?;
            let variable = parser.name()?;
            parser.expect(":")?;
            let kind = parser.type_reference()?;
            let default = parser.default()?;
            Ok(node(
                place,
                [
                    ("Variable", variable.into()),
                    ("Type", kind),
                    ("DefaultValue", default),
                    ("Directives", parser.directives(false)?),
                    ("Used", false.into()),
                ],
            ))
        })
    }

    /// `= value`, or null.
    pub(crate) fn default(&mut self) -> Parsed<Value> {
        if self.skip("=") { self.value(true) } else { Ok(Value::Null) }
    }

    fn selections(&mut self) -> Parsed<Value> {
        if self.is("{") { self.items(["{", "}"], true, Self::selection) } else { self.expected("{") }
    }

    fn selection(&mut self) -> Parsed<Value> {
        if self.skip("...") {
            return self.fragment();
        }
        let place = self.place();
        let alias = self.name()?;
        let name = if self.skip(":") { self.name()? } else { alias.clone() };
        let arguments = self.arguments(false)?;
        let directives = self.directives(false)?;
        let selections = if self.is("{") { self.selections()? } else { Value::Null };
        Ok(node(
            place,
            [
                ("Alias", alias.into()),
                ("Name", name.into()),
                ("Arguments", arguments),
                ("Directives", directives),
                ("SelectionSet", selections),
            ],
        ))
    }

    fn fragment(&mut self) -> Parsed<Value> {
        let place = self.place();
        if self.word().is_some_and(|word| word != "on") {
            let name = self.name()?;
            return Ok(node(place, [("Name", name.into()), ("Directives", self.directives(false)?)]));
        }
        let mut condition = String::new();
        if self.is_word("on") {
            self.next();
            condition = self.name()?;
        }
        let directives = self.directives(false)?;
        let selections = self.selections()?;
        Ok(node(place, [("TypeCondition", condition.into()), ("Directives", directives), ("SelectionSet", selections)]))
    }

    fn fragment_definition(&mut self) -> Parsed<Value> {
        let place = self.place();
        self.next();
        if self.is_word("on") {
            return self.unexpected();
        }
        let name = self.name()?;
        let variables = self.variable_definitions()?;
        self.expect_word("on")?;
        Ok(node(
            place,
            [
                ("Name", name.into()),
                ("VariableDefinition", variables),
                ("TypeCondition", self.name()?.into()),
                ("Directives", self.directives(false)?),
                ("SelectionSet", self.selections()?),
            ],
        ))
    }

    fn arguments(&mut self, constant: bool) -> Parsed<Value> {
        self.items(["(", ")"], false, |parser| parser.named_value(constant))
    }

    /// An argument, or a member of an object.
    fn named_value(&mut self, constant: bool) -> Parsed<Value> {
        let place = self.place();
        let name = self.name()?;
        self.expect(":")?;
        Ok(node(place, [("Name", name.into()), ("Value", self.value(constant)?)]))
    }

    fn value(&mut self, constant: bool) -> Parsed<Value> {
        let place = self.place();
        let shape = |raw: String, kind: i64, children: Value| {
            node(
                place,
                [
                    ("Raw", raw.into()),
                    ("Children", children),
                    ("Kind", kind.into()),
                    ("ExpectedTypeHasDefault", false.into()),
                ],
            )
        };
        if self.is("[") {
            let children = self.items(["[", "]"], false, |parser| {
                Ok(node((0, 0), [("Name", "".into()), ("Value", parser.value(constant)?)]))
            })?;
            return Ok(shape(String::new(), 8, children));
        }
        if self.is("{") {
            let children = self.items(["{", "}"], false, |parser| parser.named_value(constant))?;
            return Ok(shape(String::new(), 9, children));
        }
        if self.is("$") && !constant {
            self.next();
            return Ok(shape(self.name()?, 0, Value::Null));
        }
        match value_kind(&self.token) {
            Some(kind) => Ok(shape(self.next().text, kind, Value::Null)),
            None => self.unexpected(),
        }
    }

    pub(crate) fn directives(&mut self, constant: bool) -> Parsed<Value> {
        let mut directives = Vec::new();
        while self.skip("@") {
            let place = self.place();
            let name = self.name()?;
            let arguments = self.arguments(constant)?;
            directives.push(node(place, [("Name", name.into()), ("Arguments", arguments), ("Location", "".into())]));
        }
        Ok(list(directives))
    }

    pub(crate) fn type_reference(&mut self) -> Parsed<Value> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            let message = format!("nested deeper than {MAX_NESTING} levels");
            return Err(GraphqlError { message, place: self.token.place });
        }
        let mut place = self.place();
        let (name, element) = if self.skip("[") {
            place = self.place();
            let element = self.type_reference()?;
            self.expect("]")?;
            (String::new(), element)
        } else {
            (self.name()?, Value::Null)
        };
        self.nesting -= 1;
        let required = self.skip("!");
        Ok(node(place, [("NamedType", name.into()), ("Elem", element), ("NonNull", required.into())]))
    }
}
