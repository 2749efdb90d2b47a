//! What a schema document defines, checked: types with their extensions merged in, directives, entry points.

use std::collections::BTreeMap;

use palisade_rego_value::Value;

use crate::lexer::Place;
use crate::parser::{GraphqlError, Parser};
use crate::tree::{is_required, items, named, place, text, texts, type_name, type_text};
use crate::values;

/// The types and directives that every schema has.
const PRELUDE: &str = include_str!("prelude.graphql");

/// A type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Definition {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) interfaces: Vec<String>,
    pub(crate) fields: Vec<Value>,
    /// The members of a union.
    pub(crate) types: Vec<String>,
    pub(crate) values: Vec<Value>,
    directives: Vec<Value>,
    place: Place,
    is_built_in: bool,
}

impl Definition {
    fn read(node: &Value, is_built_in: bool) -> Self {
        let mut definition = Self {
            name: text(node, "Name").to_owned(),
            kind: text(node, "Kind").to_owned(),
            place: place(node),
            is_built_in,
            ..Self::default()
        };
        definition.extend(node);
        definition
    }

    fn extend(&mut self, node: &Value) {
        self.interfaces.extend(texts(node, "Interfaces"));
        self.fields.extend_from_slice(items(node, "Fields"));
        self.types.extend(texts(node, "Types"));
        self.values.extend_from_slice(items(node, "EnumValues"));
        self.directives.extend_from_slice(items(node, "Directives"));
    }

    pub(crate) fn is_leaf(&self) -> bool {
        matches!(self.kind.as_str(), "SCALAR" | "ENUM")
    }

    pub(crate) fn is_composite(&self) -> bool {
        matches!(self.kind.as_str(), "OBJECT" | "INTERFACE" | "UNION")
    }

    pub(crate) fn is_abstract(&self) -> bool {
        matches!(self.kind.as_str(), "INTERFACE" | "UNION")
    }

    pub(crate) fn is_input(&self) -> bool {
        matches!(self.kind.as_str(), "SCALAR" | "ENUM" | "INPUT_OBJECT")
    }
}

/// A schema that holds together.
#[derive(Debug, Default)]
pub struct Schema {
    pub(crate) types: BTreeMap<String, Definition>,
    pub(crate) directives: BTreeMap<String, Value>,
    /// The types that an object of this type may be of.
    possible: BTreeMap<String, Vec<String>>,
    /// The types of `query`, `mutation` and `subscription`.
    pub(crate) roots: BTreeMap<String, String>,
}

type Checked = Result<(), GraphqlError>;

fn trouble<T>(place: Place, message: String) -> Result<T, GraphqlError> {
    Err(GraphqlError { message, place })
}

impl Schema {
    /// Reads the tree of a schema; the error is the first thing that is wrong with it.
    pub fn read(document: &Value) -> Result<Self, GraphqlError> {
        let prelude = Parser::new(PRELUDE).schema_document()?;
        let mut schema = Self::default();
        for (part, is_built_in) in [(&prelude, true), (document, false)] {
            for node in items(part, "Definitions") {
                let definition = Definition::read(node, is_built_in);
                if schema.types.contains_key(&definition.name) {
                    return trouble(definition.place, format!("Cannot redeclare type {}.", definition.name));
                }
                schema.types.insert(definition.name.clone(), definition);
            }
        }
        for node in items(document, "Extensions") {
            schema.extend(node)?;
        }
        schema.relate();
        for (part, is_built_in) in [(&prelude, true), (document, false)] {
            for node in items(part, "Directives") {
                schema.declare_directive(node, is_built_in)?;
            }
        }
        schema.read_roots(document)?;
        schema.check()?;
        schema.complete(items(document, "Schema").is_empty());
        Ok(schema)
    }

    fn extend(&mut self, node: &Value) -> Checked {
        let (name, kind) = (text(node, "Name"), text(node, "Kind"));
        let definition = self.types.entry(name.to_owned()).or_insert_with(|| Definition {
            name: name.to_owned(),
            kind: kind.to_owned(),
            place: place(node),
            ..Definition::default()
        });
        if definition.kind != kind {
            let base = &definition.kind;
            let message = format!("Cannot extend type {name} because the base type is a {base}, not {kind}.");
            return trouble(place(node), message);
        }
        definition.extend(node);
        Ok(())
    }

    fn relate(&mut self) {
        let mut possible: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for definition in self.types.values() {
            let name = &definition.name;
            match definition.kind.as_str() {
                "UNION" => possible.entry(name.clone()).or_default().extend(definition.types.iter().cloned()),
                "OBJECT" | "INPUT_OBJECT" | "INTERFACE" => {
                    for interface in &definition.interfaces {
                        possible.entry(interface.clone()).or_default().push(name.clone());
                    }
                    if definition.kind != "INTERFACE" {
                        possible.entry(name.clone()).or_default().push(name.clone());
                    }
                }
                _ => {}
            }
        }
        self.possible = possible;
    }

    /// The types that an object of a type may be of.
    pub(crate) fn possible(&self, name: &str) -> &[String] {
        self.possible.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    fn declare_directive(&mut self, node: &Value, is_built_in: bool) -> Checked {
        const BUILT_IN: [&str; 4] = ["include", "skip", "deprecated", "specifiedBy"];
        let name = text(node, "Name");
        if !is_built_in && self.directives.contains_key(name) && !BUILT_IN.contains(&name) {
            return trouble(place(node), format!("Cannot redeclare directive {name}."));
        }
        self.directives.insert(name.to_owned(), node.clone());
        Ok(())
    }

    fn read_roots(&mut self, document: &Value) -> Checked {
        let schemas = items(document, "Schema");
        if let Some(second) = schemas.get(1) {
            let message = "Cannot have multiple schema entry points, consider schema extensions instead.";
            return trouble(place(second), message.to_owned());
        }
        for node in schemas.iter().chain(items(document, "SchemaExtension")) {
            for entry in items(node, "OperationTypes") {
                let (operation, name) = (text(entry, "Operation"), text(entry, "Type"));
                if !self.types.contains_key(name) {
                    let message = format!("Schema root {operation} refers to a type {name} that does not exist.");
                    return trouble(place(entry), message);
                }
                self.roots.insert(operation.to_owned(), name.to_owned());
            }
            self.check_directives(items(node, "Directives"), "SCHEMA", None)?;
        }
        Ok(())
    }

    /// Entry points that go without saying, and the fields of introspection.
    fn complete(&mut self, implied: bool) {
        for (operation, name) in [("query", "Query"), ("mutation", "Mutation"), ("subscription", "Subscription")] {
            if implied && self.types.contains_key(name) {
                self.roots.entry(operation.to_owned()).or_insert_with(|| name.to_owned());
            }
        }
        let introspection = "type Q { __schema: __Schema! __type(name: String!): __Type }";
        let added = Parser::new(introspection).schema_document().ok();
        let query = self.roots.get("query").and_then(|name| self.types.get_mut(name));
        if let (Some(query), Some(added)) = (query, added) {
            let fields = items(&added, "Definitions").iter().flat_map(|definition| items(definition, "Fields"));
            query.fields.extend(fields.cloned());
        }
    }

    fn check(&self) -> Checked {
        self.types.values().try_for_each(|definition| self.check_definition(definition))?;
        self.directives.values().try_for_each(|directive| {
            check_name(directive)?;
            self.check_arguments(items(directive, "Arguments"), Some(text(directive, "Name")))
        })
    }

    fn check_definition(&self, definition: &Definition) -> Checked {
        let Definition { name, kind, place: at, .. } = definition;
        let is_input = kind == "INPUT_OBJECT";
        for field in &definition.fields {
            check_name(field)?;
            self.check_type(field)?;
            self.check_arguments(items(field, "Arguments"), None)?;
            let location = if is_input { "INPUT_FIELD_DEFINITION" } else { "FIELD_DEFINITION" };
            self.check_directives(items(field, "Directives"), location, None)?;
        }
        for member in &definition.types {
            match self.types.get(member) {
                None => return trouble(*at, format!("Undefined type {member:?}.")),
                Some(other) if other.kind != "OBJECT" => {
                    return trouble(*at, format!("{kind} type {member:?} must be OBJECT."));
                }
                Some(_) => {}
            }
        }
        definition.interfaces.iter().try_for_each(|interface| self.check_implements(definition, interface))?;
        self.check_members(definition)?;
        for (index, field) in definition.fields.iter().enumerate() {
            if let Some(again) = named(definition.fields.get(index + 1..).unwrap_or_default(), text(field, "Name")) {
                let message = format!("Field {name}.{} can only be defined once.", text(again, "Name"));
                return trouble(place(again), message);
            }
        }
        for (index, value) in definition.values.iter().enumerate() {
            if let Some(again) = named(definition.values.get(index + 1..).unwrap_or_default(), text(value, "Name")) {
                let message = format!("Enum value {name}.{} can only be defined once.", text(again, "Name"));
                return trouble(place(again), message);
            }
        }
        if !definition.is_built_in && name.starts_with("__") {
            return reserved(*at, name);
        }
        self.check_directives(&definition.directives, kind, None)
    }

    fn check_members(&self, definition: &Definition) -> Checked {
        let Definition { name, kind, place: at, .. } = definition;
        let (outputs, inputs) =
            (["SCALAR", "OBJECT", "INTERFACE", "UNION", "ENUM"], ["SCALAR", "ENUM", "INPUT_OBJECT"]);
        let misfit = |permitted: &[&str]| {
            definition.fields.iter().find_map(|field| {
                let other = self.types.get(type_name(field.get_str("Type")?))?;
                (!permitted.contains(&other.kind.as_str())).then_some((field, other))
            })
        };
        match kind.as_str() {
            "OBJECT" | "INTERFACE" if definition.fields.is_empty() => {
                trouble(*at, format!("{kind} {name}: must define one or more fields."))
            }
            "OBJECT" | "INTERFACE" => match misfit(&outputs) {
                Some((field, _)) => {
                    let permitted = outputs.join(", ");
                    trouble(place(field), format!("{kind} {name}: field must be one of {permitted}."))
                }
                None => Ok(()),
            },
            "ENUM" if definition.values.is_empty() => {
                trouble(*at, format!("{kind} {name}: must define one or more unique enum values."))
            }
            "ENUM" => {
                let mut names = definition.values.iter().map(|value| text(value, "Name"));
                match names.find(|value| matches!(*value, "true" | "false" | "null")) {
                    Some(value) => trouble(*at, format!("{kind} {name}: non-enum value {value}.")),
                    None => Ok(()),
                }
            }
            "INPUT_OBJECT" if definition.fields.is_empty() => {
                trouble(*at, format!("{kind} {name}: must define one or more input fields."))
            }
            "INPUT_OBJECT" => match misfit(&inputs) {
                Some((field, other)) => {
                    let (name, permitted) = (text(field, "Name"), inputs.join(", "));
                    trouble(place(field), format!("{} {name}: field must be one of {permitted}.", other.kind))
                }
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn check_type(&self, node: &Value) -> Checked {
        let kind = node.get_str("Type").unwrap_or(&Value::Null);
        let name = type_name(kind);
        if self.types.contains_key(name) { Ok(()) } else { trouble(place(kind), format!("Undefined type {name}.")) }
    }

    fn check_arguments(&self, arguments: &[Value], directive: Option<&str>) -> Checked {
        for argument in arguments {
            check_name(argument)?;
            self.check_type(argument)?;
            let kind = argument.get_str("Type").unwrap_or(&Value::Null);
            if let Some(definition) = self.types.get(type_name(kind)).filter(|definition| !definition.is_input()) {
                let (shown, name) = (type_text(kind), text(argument, "Name"));
                let because = format!("because {} is not a valid input type", definition.kind);
                return trouble(place(argument), format!("cannot use {shown} as argument {name} {because}"));
            }
            self.check_directives(items(argument, "Directives"), "ARGUMENT_DEFINITION", directive)?;
        }
        Ok(())
    }

    fn check_directives(&self, directives: &[Value], location: &str, current: Option<&str>) -> Checked {
        for directive in directives {
            check_name(directive)?;
            let name = text(directive, "Name");
            if current == Some(name) {
                return trouble(place(directive), format!("Directive {name} cannot refer to itself."));
            }
            let Some(definition) = self.directives.get(name) else {
                return trouble(place(directive), format!("Undefined directive {name}."));
            };
            if !texts(definition, "Locations").iter().any(|other| other == location) {
                return trouble(place(directive), format!("Directive {name} is not applicable on {location}."));
            }
            check_directive_arguments(directive, definition)?;
        }
        Ok(())
    }

    fn check_implements(&self, definition: &Definition, interface: &str) -> Checked {
        let (name, at) = (&definition.name, definition.place);
        let Some(required) = self.types.get(interface) else {
            return trouble(at, format!("Undefined type {interface:?}."));
        };
        if required.kind != "INTERFACE" {
            return trouble(at, format!("{interface:?} is a non interface type {}.", required.kind));
        }
        let prefix = format!("For {name} to implement {interface}");
        for field in &required.fields {
            let field_name = text(field, "Name");
            let Some(found) = named(&definition.fields, field_name) else {
                return trouble(at, format!("{prefix} it must have a field called {field_name}."));
            };
            let (wanted, given) = (field.get_str("Type"), found.get_str("Type"));
            if let (Some(wanted), Some(given)) = (wanted, given)
                && !self.is_covariant(wanted, given)
            {
                let message = format!("{prefix} the field {field_name} must have type {}.", type_text(wanted));
                return trouble(place(found), message);
            }
            check_same_arguments(&format!("{prefix} the field {field_name}"), &prefix, field, found)?;
        }
        let missing = required.interfaces.iter().find(|other| !definition.interfaces.contains(other));
        if let Some(transitive) = missing {
            let message = if transitive == name {
                format!("Type {name} cannot implement {interface} because it would create a circular reference.")
            } else {
                format!("Type {name} must implement {transitive} because it is implemented by {interface}.")
            };
            return trouble(at, message);
        }
        Ok(())
    }

    fn is_covariant(&self, wanted: &Value, given: &Value) -> bool {
        if is_required(wanted) && !is_required(given) {
            return false;
        }
        match (wanted.get_str("Elem"), given.get_str("Elem")) {
            (Some(wanted), Some(given)) => self.is_covariant(wanted, given),
            (Some(_), None) => false,
            (None, _) => {
                let (wanted, given) = (text(wanted, "NamedType"), text(given, "NamedType"));
                wanted == given || self.possible(wanted).iter().any(|other| other == given)
            }
        }
    }
}

fn check_directive_arguments(directive: &Value, definition: &Value) -> Checked {
    let name = text(directive, "Name");
    let (given, known) = (items(directive, "Arguments"), items(definition, "Arguments"));
    for argument in given {
        let argument_name = text(argument, "Name");
        if named(known, argument_name).is_none() {
            return trouble(place(argument), format!("Undefined argument {argument_name} for directive {name}."));
        }
    }
    for argument in known {
        let argument_name = text(argument, "Name");
        let required = argument.get_str("Type").is_some_and(is_required) && argument.get_str("DefaultValue").is_none();
        let value = named(given, argument_name).and_then(|argument| argument.get_str("Value"));
        if required && value.is_none_or(|value| values::kind(value) == values::NULL) {
            let message = format!("Argument {argument_name} for directive {name} cannot be null.");
            return trouble(place(directive), message);
        }
    }
    Ok(())
}

fn check_same_arguments(field_prefix: &str, prefix: &str, field: &Value, found: &Value) -> Checked {
    let (wanted, given) = (items(field, "Arguments"), items(found, "Arguments"));
    for argument in wanted {
        let name = text(argument, "Name");
        let Some(other) = named(given, name) else {
            let message = format!("{field_prefix} must have the same arguments but it is missing {name}.");
            return trouble(place(found), message);
        };
        let compatible = argument.get_str("Type").zip(other.get_str("Type")).is_some_and(|(a, b)| is_compatible(a, b));
        if !compatible {
            let message = format!("{field_prefix} must have the same arguments but {name} has the wrong type.");
            return trouble(place(other), message);
        }
    }
    for argument in given {
        let name = text(argument, "Name");
        let required = argument.get_str("Type").is_some_and(is_required) && argument.get_str("DefaultValue").is_none();
        if required && named(wanted, name).is_none() {
            let of = text(found, "Name");
            let rest = format!("must be optional or have a default value but {name} is required.");
            return trouble(place(argument), format!("{prefix} any additional arguments on {of} {rest}"));
        }
    }
    Ok(())
}

/// Whether a value of the first type may stand where the second is expected.
pub(crate) fn is_compatible(given: &Value, expected: &Value) -> bool {
    if text(given, "NamedType") != text(expected, "NamedType") || (is_required(expected) && !is_required(given)) {
        return false;
    }
    match (given.get_str("Elem"), expected.get_str("Elem")) {
        (None, None) => true,
        (Some(given), Some(expected)) => is_compatible(given, expected),
        _ => false,
    }
}

fn check_name(node: &Value) -> Checked {
    let name = text(node, "Name");
    // Introspection's own fields have no such names.
    if name.starts_with("__") { reserved(place(node), name) } else { Ok(()) }
}

fn reserved(at: Place, name: &str) -> Checked {
    trouble(at, format!("Name {name:?} must not begin with \"__\", which is reserved by GraphQL introspection."))
}
