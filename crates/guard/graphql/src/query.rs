//! A query against a schema: the rules of the specification, in the order in which OPA applies them.

use std::collections::{BTreeMap, BTreeSet};

use palisade_model::{Budget, Spent};
use palisade_rego_value::Value;

use crate::conflicts;
use crate::parser::GraphqlError;
use crate::schema::{Definition, Schema, is_compatible};
use crate::suggestions::{close_names, did_you_mean};
use crate::tree::{is_required, items, named, place, text, texts, type_name, type_text, value_text};
use crate::values;

type Done = Result<(), Spent>;

/// Everything that is wrong with a query.
pub fn check(budget: &mut Budget, schema: &Schema, query: &Value) -> Result<Vec<GraphqlError>, Spent> {
    let fragments = items(query, "Fragments");
    let mut checker = Checker {
        budget,
        schema,
        operations: items(query, "Operations"),
        fragments: fragments.iter().rev().map(|fragment| (text(fragment, "Name"), fragment)).collect(),
        operation: None,
        used_variables: BTreeSet::new(),
        used_fragments: BTreeSet::new(),
        walked: BTreeSet::new(),
        troubles: Vec::new(),
    };
    for operation in checker.operations {
        checker.operation(operation)?;
    }
    checker.operation = None;
    for (index, fragment) in fragments.iter().enumerate() {
        checker.walked.clear();
        checker.fragment(fragment, fragments.get(..index).unwrap_or_default())?;
    }
    checker.cycles(fragments);
    Ok(checker.troubles)
}

/// What a value is expected to be.
#[derive(Clone, Copy)]
pub(crate) struct Expected<'a> {
    pub(crate) kind: &'a Value,
    pub(crate) definition: &'a Definition,
}

pub(crate) struct Checker<'a, 'b> {
    pub(crate) budget: &'b mut Budget,
    pub(crate) schema: &'a Schema,
    operations: &'a [Value],
    pub(crate) fragments: BTreeMap<&'a str, &'a Value>,
    operation: Option<&'a Value>,
    used_variables: BTreeSet<&'a str>,
    used_fragments: BTreeSet<&'a str>,
    /// Fragments whose selections were walked in this operation.
    walked: BTreeSet<&'a str>,
    troubles: Vec<GraphqlError>,
}

impl<'a> Checker<'a, '_> {
    pub(crate) fn report(&mut self, node: &Value, message: impl Into<String>) {
        self.troubles.push(GraphqlError { message: message.into(), place: place(node) });
    }

    fn type_of(&self, name: &str) -> Option<&'a Definition> {
        self.schema.types.get(name)
    }

    fn expected(&self, node: &'a Value) -> Option<Expected<'a>> {
        let kind = node.get_str("Type")?;
        Some(Expected { kind, definition: self.type_of(type_name(kind))? })
    }

    fn operation(&mut self, operation: &'a Value) -> Done {
        self.operation = Some(operation);
        self.walked.clear();
        self.used_variables.clear();
        let kind = text(operation, "Operation");
        let root = self.schema.roots.get(kind).and_then(|name| self.type_of(name));
        let variables = items(operation, "VariableDefinitions");
        for variable in variables {
            let name = variable.get_str("Type").map(type_name).unwrap_or_default();
            if self.type_of(name).is_none() {
                self.report(variable, format!("Unknown type {name:?}."));
            }
        }
        for variable in variables {
            if let Some(default) = variable.get_str("DefaultValue") {
                self.value(default, self.expected(variable))?;
            }
            self.directives(items(variable, "Directives"), "VARIABLE_DEFINITION")?;
        }
        self.directives(items(operation, "Directives"), &kind.to_uppercase())?;
        self.selections(root, operation)?;
        if root.is_none() {
            self.report(operation, format!("Schema does not support operation type {kind:?}"));
        }
        self.operation_names(operation, variables)?;
        conflicts::report(self, root, operation)?;
        if kind == "subscription" {
            self.single_field(operation);
        }
        let name = text(operation, "Name");
        let again = self.operations.iter().take_while(|other| !std::ptr::eq(*other, operation));
        if again.map(|other| text(other, "Name")).any(|other| other == name) {
            self.report(operation, format!("There can be only one operation named {name:?}."));
        }
        for (index, variable) in variables.iter().enumerate() {
            let name = text(variable, "Variable");
            let before = variables.get(..index).unwrap_or_default();
            if before.iter().any(|other| text(other, "Variable") == name) {
                self.report(variable, format!("There can be only one variable named \"${name}\"."));
            }
        }
        for variable in variables {
            let expected = self.expected(variable);
            if let Some(expected) = expected.filter(|expected| !expected.definition.is_input()) {
                let (name, kind) = (text(variable, "Variable"), type_text(expected.kind));
                self.report(variable, format!("Variable \"${name}\" cannot be non-input type {kind:?}."));
            }
        }
        Ok(())
    }

    fn operation_names(&mut self, operation: &'a Value, variables: &'a [Value]) -> Done {
        let name = text(operation, "Name");
        if name.is_empty() && self.operations.len() > 1 {
            self.report(operation, "This anonymous operation must be the only defined operation.");
        }
        let mut first = BTreeSet::new();
        for variable in variables {
            let variable_name = text(variable, "Variable");
            // Of two of one name only the first is used.
            let used = first.insert(variable_name) && self.used_variables.contains(variable_name);
            if !used {
                let of = if name.is_empty() { String::new() } else { format!(" in operation {name:?}") };
                self.report(variable, format!("Variable \"${variable_name}\" is never used{of}."));
            }
        }
        self.budget.step(variables.len())
    }

    fn single_field(&mut self, operation: &'a Value) {
        let name = match text(operation, "Name") {
            "" => "Anonymous Subscription".to_owned(),
            name => format!("Subscription {name:?}"),
        };
        let mut fields: Vec<&Value> = Vec::new();
        self.top_fields(operation, &mut BTreeSet::new(), &mut fields);
        if let Some(second) = fields.get(1) {
            self.report(second, format!("{name} must select only one top level field."));
        }
        for field in fields.into_iter().filter(|field| text(field, "Name").starts_with("__")) {
            self.report(field, format!("{name} must not select an introspection top level field."));
        }
    }

    /// The fields of a selection and of its fragments, each name once.
    fn top_fields(&self, node: &'a Value, walked: &mut BTreeSet<&'a str>, into: &mut Vec<&'a Value>) {
        for selection in items(node, "SelectionSet") {
            match Selection::of(selection) {
                Selection::Field => {
                    if !into.iter().any(|other| text(other, "Name") == text(selection, "Name")) {
                        into.push(selection);
                    }
                }
                Selection::Inline => self.top_fields(selection, walked, into),
                Selection::Spread(name) => {
                    if let Some(fragment) = self.fragments.get(name).filter(|_| walked.insert(name)) {
                        self.top_fields(fragment, walked, into);
                    }
                }
            }
        }
    }

    fn fragment(&mut self, fragment: &'a Value, before: &'a [Value]) -> Done {
        let (name, condition) = (text(fragment, "Name"), text(fragment, "TypeCondition"));
        let definition = self.type_of(condition);
        self.directives(items(fragment, "Directives"), "FRAGMENT_DEFINITION")?;
        self.selections(definition, fragment)?;
        match definition {
            None => self.report(fragment, format!("Unknown type {condition:?}.")),
            Some(definition) if !definition.is_composite() => {
                let message = format!("Fragment {name:?} cannot condition on non composite type {condition:?}.");
                self.report(fragment, message);
            }
            Some(_) => {}
        }
        if !self.used_fragments.contains(name) {
            self.report(fragment, format!("Fragment {name:?} is never used."));
        }
        conflicts::report(self, definition, fragment)?;
        if named(before, name).is_some() {
            self.report(fragment, format!("There can be only one fragment named {name:?}."));
        }
        Ok(())
    }

    fn selections(&mut self, parent: Option<&'a Definition>, node: &'a Value) -> Done {
        for selection in items(node, "SelectionSet") {
            self.budget.step(1)?;
            match Selection::of(selection) {
                Selection::Field => self.field(parent, selection)?,
                Selection::Inline => self.inline(parent, selection)?,
                Selection::Spread(name) => self.spread(parent, selection, name)?,
            }
        }
        Ok(())
    }

    fn field(&mut self, parent: Option<&'a Definition>, field: &'a Value) -> Done {
        let name = text(field, "Name");
        let definition = parent.and_then(|parent| named(&parent.fields, name));
        let is_type_name = name == "__typename";
        let next = definition.and_then(|definition| self.type_of(type_name(definition.get_str("Type")?)));
        let known = definition.map(|definition| items(definition, "Arguments"));
        self.arguments(field, known)?;
        self.selections(next, field)?;
        self.directives(items(field, "Directives"), "FIELD")?;
        if let (Some(parent), None, false) = (parent, definition, is_type_name) {
            let suggested = self.field_suggestion(parent, name);
            self.report(field, format!("Cannot query field {name:?} on type {:?}.{suggested}", parent.name));
        }
        let (Some(parent), Some(definition)) = (parent, definition) else { return Ok(()) };
        let arguments = items(definition, "Arguments");
        self.known_arguments(field, arguments, &format!("field {:?}", format!("{}.{name}", parent.name)));
        if self.operation.is_some() {
            conflicts::report(self, next, field)?;
        }
        self.required_arguments(field, arguments, &format!("Field {name:?}"));
        if let Some(next) = next {
            let kind = definition.get_str("Type").map(type_text).unwrap_or_default();
            match (next.is_leaf(), items(field, "SelectionSet").is_empty()) {
                (true, false) => {
                    let of = &next.name;
                    let message =
                        format!("Field {name:?} must not have a selection since type {of:?} has no subfields.");
                    self.report(field, message);
                }
                (false, true) => {
                    let hint = format!("Did you mean \"{name} {{ ... }}\"?");
                    let message = format!("Field {name:?} of type {kind:?} must have a selection of subfields. {hint}");
                    self.report(field, message);
                }
                _ => {}
            }
        }
        self.unique_arguments(field);
        Ok(())
    }

    /// The types below an abstract one that have the field, or the fields that it may mean.
    fn field_suggestion(&self, parent: &Definition, name: &str) -> String {
        let mut types: BTreeMap<&str, usize> = BTreeMap::new();
        if parent.is_abstract() {
            let has = |definition: &Definition| named(&definition.fields, name).is_some();
            let possible = self.schema.possible(&parent.name).iter().filter_map(|name| self.type_of(name));
            for definition in possible.filter(|definition| has(definition)) {
                types.entry(&definition.name).or_default();
                let interfaces = definition.interfaces.iter().filter_map(|name| self.type_of(name));
                for interface in interfaces.filter(|interface| has(interface)) {
                    *types.entry(&interface.name).or_default() += 1;
                }
            }
        }
        if types.is_empty() {
            let names = parent.fields.iter().map(|field| text(field, "Name"));
            return did_you_mean("", &close_names(name, names));
        }
        // Interfaces first, those that most types have in front.
        let mut types: Vec<_> = types.into_iter().collect();
        types.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let types: Vec<_> = types.into_iter().map(|(name, _)| name.to_owned()).collect();
        did_you_mean(" to use an inline fragment on", &types)
    }

    fn inline(&mut self, parent: Option<&'a Definition>, fragment: &'a Value) -> Done {
        let condition = text(fragment, "TypeCondition");
        let next = if condition.is_empty() { parent } else { self.type_of(condition) };
        self.directives(items(fragment, "Directives"), "INLINE_FRAGMENT")?;
        self.selections(next, fragment)?;
        if condition.is_empty() {
            return conflicts::report(self, next, fragment);
        }
        match next {
            None => self.report(fragment, format!("Unknown type {condition:?}.")),
            Some(next) if !next.is_composite() => {
                let message = format!("Fragment cannot condition on non composite type {condition:?}.");
                self.report(fragment, message);
            }
            Some(_) => {}
        }
        conflicts::report(self, next, fragment)?;
        if let Some(parent) = parent.filter(|parent| !self.may_spread(parent, condition)) {
            let parent = &parent.name;
            let never = format!("as objects of type {parent:?} can never be of type {condition:?}.");
            self.report(fragment, format!("Fragment cannot be spread here {never}"));
        }
        Ok(())
    }

    fn spread(&mut self, parent: Option<&'a Definition>, spread: &'a Value, name: &'a str) -> Done {
        let fragment = self.fragments.get(name).copied();
        self.directives(items(spread, "Directives"), "FRAGMENT_SPREAD")?;
        if let Some(fragment) = fragment.filter(|_| self.walked.insert(name)) {
            self.selections(self.type_of(text(fragment, "TypeCondition")), fragment)?;
        }
        if self.operation.is_some() {
            self.used_fragments.insert(name);
        }
        let Some(fragment) = fragment else {
            self.report(spread, format!("Unknown fragment {name:?}."));
            return Ok(());
        };
        let condition = text(fragment, "TypeCondition");
        if let Some(parent) = parent.filter(|parent| !self.may_spread(parent, condition)) {
            let parent = &parent.name;
            let never = format!("as objects of type {parent:?} can never be of type {condition:?}.");
            self.report(spread, format!("Fragment {name:?} cannot be spread here {never}"));
        }
        Ok(())
    }

    /// Whether an object of a type may be of the type that a fragment is for; true where another rule tells.
    fn may_spread(&self, parent: &Definition, condition: &str) -> bool {
        let of_fragment = match self.type_of(condition) {
            Some(definition) if definition.is_composite() => self.schema.possible(condition),
            _ => return true,
        };
        let of_parent = match parent.kind.as_str() {
            "OBJECT" => std::slice::from_ref(&parent.name),
            _ if parent.is_abstract() => self.schema.possible(&parent.name),
            _ => return true,
        };
        of_parent.iter().any(|name| of_fragment.contains(name))
    }

    fn arguments(&mut self, node: &'a Value, known: Option<&'a [Value]>) -> Done {
        for argument in items(node, "Arguments") {
            let definition = known.and_then(|known| named(known, text(argument, "Name")));
            let expected = definition.and_then(|definition| self.expected(definition));
            if let Some(value) = argument.get_str("Value") {
                self.value(value, expected)?;
            }
        }
        Ok(())
    }

    fn known_arguments(&mut self, node: &Value, known: &[Value], of: &str) {
        for argument in items(node, "Arguments") {
            let name = text(argument, "Name");
            if named(known, name).is_none() {
                let suggested = did_you_mean("", &close_names(name, known.iter().map(|known| text(known, "Name"))));
                self.report(node, format!("Unknown argument {name:?} on {of}.{suggested}"));
            }
        }
    }

    fn required_arguments(&mut self, node: &Value, known: &[Value], of: &str) {
        for argument in known {
            let (name, kind) = (text(argument, "Name"), argument.get_str("Type").unwrap_or(&Value::Null));
            let given = named(items(node, "Arguments"), name).is_some();
            if is_required(kind) && argument.get_str("DefaultValue").is_none() && !given {
                let kind = type_text(kind);
                let rest = format!("of type {kind:?} is required, but it was not provided.");
                self.report(node, format!("{of} argument {name:?} {rest}"));
            }
        }
    }

    fn unique_arguments(&mut self, node: &Value) {
        let arguments = items(node, "Arguments");
        for (index, argument) in arguments.iter().enumerate() {
            let name = text(argument, "Name");
            if named(arguments.get(..index).unwrap_or_default(), name).is_some() {
                self.report(argument, format!("There can be only one argument named {name:?}."));
            }
        }
    }

    fn directives(&mut self, directives: &'a [Value], location: &str) -> Done {
        for directive in directives {
            let name = text(directive, "Name");
            let definition = self.schema.directives.get(name);
            let known = definition.map(|definition| items(definition, "Arguments"));
            self.arguments(directive, known)?;
            let (Some(definition), Some(known)) = (definition, known) else {
                self.report(directive, format!("Unknown directive \"@{name}\"."));
                self.unique_arguments(directive);
                continue;
            };
            self.known_arguments(directive, known, &format!("directive \"@{name}\""));
            if !texts(definition, "Locations").iter().any(|other| other == location) {
                self.report(directive, format!("Directive \"@{name}\" may not be used on {location}."));
            }
            self.required_arguments(directive, known, &format!("Directive \"@{name}\""));
            self.unique_arguments(directive);
        }
        for (index, directive) in directives.iter().enumerate() {
            let name = text(directive, "Name");
            let repeatable = self.schema.directives.get(name).and_then(|definition| definition.get_str("IsRepeatable"));
            let repeatable = repeatable.and_then(Value::as_bool).unwrap_or(false);
            if !repeatable && named(directives.get(..index).unwrap_or_default(), name).is_some() {
                self.report(directive, format!("The directive \"@{name}\" can only be used once at this location."));
            }
        }
        Ok(())
    }

    fn value(&mut self, value: &'a Value, expected: Option<Expected<'a>>) -> Done {
        self.budget.step(1)?;
        let kind = values::kind(value);
        let children = items(value, "Children");
        for child in children {
            let Some(inner) = child.get_str("Value") else { continue };
            let expected = expected.and_then(|expected| match kind {
                values::OBJECT => self.expected(named(&expected.definition.fields, text(child, "Name"))?),
                _ => Some(Expected { kind: expected.kind.get_str("Elem")?, ..expected }),
            });
            self.value(inner, expected)?;
        }
        if kind == values::VARIABLE {
            return self.variable(value, expected);
        }
        if kind == values::OBJECT {
            for (index, child) in children.iter().enumerate() {
                let name = text(child, "Name");
                if named(children.get(..index).unwrap_or_default(), name).is_some() {
                    self.report(child, format!("There can be only one input field named {name:?}."));
                }
            }
        }
        if let Some(expected) = expected {
            values::check(self, value, expected);
        }
        Ok(())
    }

    fn variable(&mut self, value: &'a Value, expected: Option<Expected<'a>>) -> Done {
        let Some(operation) = self.operation else { return Ok(()) };
        let name = text(value, "Raw");
        let variables = items(operation, "VariableDefinitions");
        let Some(variable) = variables.iter().find(|variable| text(variable, "Variable") == name) else {
            let shown = value_text(value);
            let of = match text(operation, "Name") {
                "" => String::new(),
                name => format!(" by operation {name:?}"),
            };
            self.report(value, format!("Variable {shown:?} is not defined{of}."));
            return Ok(());
        };
        self.used_variables.insert(name);
        let (Some(expected), Some(given)) = (expected, variable.get_str("Type")) else { return Ok(()) };
        // With a default, a variable that may be null is never null.
        let has_default = variable.get_str("DefaultValue").is_some_and(|default| values::kind(default) != values::NULL);
        let optional = values::optional(expected.kind);
        let kind = if has_default { &optional } else { expected.kind };
        if !is_compatible(given, kind) {
            let (given, kind) = (type_text(given), type_text(kind));
            let rest = format!("of type {given:?} used in position expecting type {kind:?}.");
            self.report(value, format!("Variable \"${name}\" {rest}"));
        }
        self.budget.step(1)
    }

    /// Fragments that spread themselves.
    fn cycles(&mut self, fragments: &'a [Value]) {
        let mut visited = BTreeSet::new();
        for fragment in fragments {
            self.cycles_from(fragment, &mut visited, &mut Vec::new());
        }
    }

    /// `path` holds the names of the fragments on the way here.
    fn cycles_from(&mut self, fragment: &'a Value, visited: &mut BTreeSet<&'a str>, path: &mut Vec<&'a str>) {
        const MAX_PATH: usize = 100;
        if !visited.insert(text(fragment, "Name")) || path.len() > MAX_PATH {
            return;
        }
        path.push(text(fragment, "Name"));
        let mut spreads = Vec::new();
        collect_spreads(fragment, &mut spreads);
        for spread in spreads {
            let name = text(spread, "Name");
            match path.iter().position(|other| *other == name) {
                Some(start) => {
                    let between: Vec<_> = path.iter().skip(start + 1).map(|name| format!("{name:?}")).collect();
                    let via = if between.is_empty() { String::new() } else { format!(" via {}", between.join(", ")) };
                    self.report(spread, format!("Cannot spread fragment {name:?} within itself{via}."));
                }
                None => {
                    if let Some(next) = self.fragments.get(name).copied() {
                        self.cycles_from(next, visited, path);
                    }
                }
            }
        }
        path.pop();
    }
}

fn collect_spreads<'a>(node: &'a Value, into: &mut Vec<&'a Value>) {
    for selection in items(node, "SelectionSet") {
        match Selection::of(selection) {
            Selection::Spread(_) => into.push(selection),
            _ => collect_spreads(selection, into),
        }
    }
}

/// What a selection is.
pub(crate) enum Selection<'a> {
    Field,
    Inline,
    Spread(&'a str),
}

impl<'a> Selection<'a> {
    pub(crate) fn of(node: &'a Value) -> Self {
        match (node.get_str("Alias"), node.get_str("Name").and_then(Value::as_str)) {
            (Some(_), _) => Self::Field,
            (None, Some(name)) => Self::Spread(name),
            (None, None) => Self::Inline,
        }
    }
}
