//! Definitions of types and directives.

use palisade_rego_value::Value;

use crate::parser::{GraphqlError, Parser};
use crate::tree::{list, node};

type Parsed<T> = Result<T, GraphqlError>;

const LOCATIONS: [&str; 19] = [
    "QUERY",
    "MUTATION",
    "SUBSCRIPTION",
    "FIELD",
    "FRAGMENT_DEFINITION",
    "FRAGMENT_SPREAD",
    "INLINE_FRAGMENT",
    "VARIABLE_DEFINITION",
    "SCHEMA",
    "SCALAR",
    "OBJECT",
    "FIELD_DEFINITION",
    "ARGUMENT_DEFINITION",
    "INTERFACE",
    "UNION",
    "ENUM",
    "ENUM_VALUE",
    "INPUT_OBJECT",
    "INPUT_FIELD_DEFINITION",
];

/// Keywords of types, with the kinds that OPA shows.
const KINDS: [(&str, &str); 6] = [
    ("scalar", "SCALAR"),
    ("type", "OBJECT"),
    ("interface", "INTERFACE"),
    ("union", "UNION"),
    ("enum", "ENUM"),
    ("input", "INPUT_OBJECT"),
];

impl Parser<'_> {
    pub(crate) fn schema_document(&mut self) -> Parsed<Value> {
        let mut parts: [Vec<Value>; 5] = Default::default();
        let [schemas, schema_extensions, directives, definitions, extensions] = &mut parts;
        while !self.is_end() {
            let place = self.place();
            let description = self.description();
            if self.is_word("extend") {
                if !description.is_empty() {
                    let kind = crate::lexer::Kind::String;
                    return Self::unexpected_token(&crate::lexer::Token { kind, text: description, place });
                }
                self.next();
                if self.is_word("schema") {
                    schema_extensions.push(self.schema_definition(String::new(), true)?);
                } else {
                    extensions.push(self.type_definition(String::new(), true)?);
                }
            } else if self.is_word("schema") {
                schemas.push(self.schema_definition(description, false)?);
            } else if self.is_word("directive") {
                directives.push(self.directive_definition(description)?);
            } else {
                definitions.push(self.type_definition(description, false)?);
            }
        }
        let [schemas, schema_extensions, directives, definitions, extensions] = parts.map(list);
        Ok(node(
            (1, 1),
            [
                ("Schema", schemas),
                ("SchemaExtension", schema_extensions),
                ("Directives", directives),
                ("Definitions", definitions),
                ("Extensions", extensions),
            ],
        ))
    }

    fn schema_definition(&mut self, description: String, extends: bool) -> Parsed<Value> {
        self.next();
        let place = self.place();
        let directives = self.directives(true)?;
        let operations = self.items(["{", "}"], true, |parser| {
            let place = parser.place();
            let operation = parser.operation_type()?;
            parser.expect(":")?;
            Ok(node(place, [("Operation", operation.into()), ("Type", parser.name()?.into())]))
        })?;
        self.refuse_empty(extends, &[&directives, &operations])?;
        Ok(node(
            place,
            [("Description", description.into()), ("Directives", directives), ("OperationTypes", operations)],
        ))
    }

    /// An extension must add something.
    fn refuse_empty(&self, extends: bool, parts: &[&Value]) -> Parsed<()> {
        let empty = parts.iter().all(|part| part.as_array().unwrap_or_default().is_empty());
        if extends && empty { self.unexpected() } else { Ok(()) }
    }

    fn type_definition(&mut self, description: String, extends: bool) -> Parsed<Value> {
        let keyword = self.word().and_then(|word| KINDS.into_iter().find(|(keyword, _)| *keyword == word));
        let Some((_, kind)) = keyword else { return self.unexpected() };
        self.next();
        let place = self.place();
        let name = self.name()?;
        let interfaces = match kind {
            "OBJECT" => self.interfaces()?,
            "INTERFACE" if !extends => self.interfaces()?,
            _ => list(Vec::new()),
        };
        let directives = self.directives(true)?;
        let braces = ["{", "}"];
        let (mut fields, mut types, mut values) = (Value::Null, Value::Null, Value::Null);
        match kind {
            "OBJECT" | "INTERFACE" => fields = self.items(braces, true, Self::field_definition)?,
            "INPUT_OBJECT" => fields = self.items(braces, true, Self::input_definition)?,
            "ENUM" => values = self.items(braces, true, Self::enum_value)?,
            "UNION" => types = self.members()?,
            _ => {}
        }
        self.refuse_empty(extends, &[&interfaces, &directives, &fields, &types, &values])?;
        Ok(node(
            place,
            [
                ("Kind", kind.into()),
                ("Description", description.into()),
                ("Name", name.into()),
                ("Directives", directives),
                ("Interfaces", interfaces),
                ("Fields", fields),
                ("Types", types),
                ("EnumValues", values),
                ("BuiltIn", false.into()),
            ],
        ))
    }

    fn interfaces(&mut self) -> Parsed<Value> {
        if !self.is_word("implements") {
            return Ok(list(Vec::new()));
        }
        self.next();
        self.names("&")
    }

    fn members(&mut self) -> Parsed<Value> {
        if self.skip("=") { self.names("|") } else { Ok(list(Vec::new())) }
    }

    /// Names with a punctuator between them, and perhaps in front.
    fn names(&mut self, between: &str) -> Parsed<Value> {
        self.skip(between);
        let mut names = vec![self.name()?.into()];
        while self.skip(between) {
            names.push(self.name()?.into());
        }
        Ok(list(names))
    }

    fn field_definition(&mut self) -> Parsed<Value> {
        let place = self.place();
        let description = self.description();
        let name = self.name()?;
        let arguments = self.items(["(", ")"], true, Self::input_definition)?;
        self.expect(":")?;
        let kind = self.type_reference()?;
        Ok(node(
            place,
            [
                ("Description", description.into()),
                ("Name", name.into()),
                ("Arguments", arguments),
                ("Type", kind),
                ("Directives", self.directives(true)?),
            ],
        ))
    }

    /// An argument, or a field of an input object.
    fn input_definition(&mut self) -> Parsed<Value> {
        let place = self.place();
        let description = self.description();
        let name = self.name()?;
        self.expect(":")?;
        let kind = self.type_reference()?;
        let default = self.default()?;
        Ok(node(
            place,
            [
                ("Description", description.into()),
                ("Name", name.into()),
                ("DefaultValue", default),
                ("Type", kind),
                ("Directives", self.directives(true)?),
            ],
        ))
    }

    fn enum_value(&mut self) -> Parsed<Value> {
        let place = self.place();
        let description = self.description();
        let name = self.name()?;
        let directives = self.directives(true)?;
        Ok(node(place, [("Description", description.into()), ("Name", name.into()), ("Directives", directives)]))
    }

    fn directive_definition(&mut self, description: String) -> Parsed<Value> {
        self.next();
        self.expect("@")?;
        let place = self.place();
        let name = self.name()?;
        let arguments = self.items(["(", ")"], true, Self::input_definition)?;
        let repeatable = self.is_word("repeatable");
        if repeatable {
            self.next();
        }
        self.expect_word("on")?;
        self.skip("|");
        let mut locations = vec![self.location()?];
        while self.skip("|") {
            locations.push(self.location()?);
        }
        Ok(node(
            place,
            [
                ("Description", description.into()),
                ("Name", name.into()),
                ("Arguments", arguments),
                ("Locations", list(locations)),
                ("IsRepeatable", repeatable.into()),
            ],
        ))
    }

    fn location(&mut self) -> Parsed<Value> {
        let known = self.word().is_none_or(|word| LOCATIONS.contains(&word));
        if known { self.name().map(Value::from) } else { self.unexpected() }
    }
}
