//! The keywords of a schema, read in a fixed order with the words that OPA has for what is wrong.

use palisade_gotext::go_regex;
use palisade_rego_value::{Number, Object, Value};
use regex::Regex;

use super::compile::{Compiler, Draft};
use super::numbers::normalised;
use super::{Additional, Bounds, Dependency, Items, Rule, RuleId};

const TYPES: [&str; 7] = ["array", "boolean", "integer", "number", "null", "object", "string"];

/// The members of a schema.
#[derive(Clone, Copy)]
pub(super) struct Keywords<'a>(pub(super) &'a Object);

type Read<T> = Result<T, String>;

fn wrong<T>(expected: &str, keyword: &str) -> Read<T> {
    Err(format!("Invalid type. Expected: {expected}, given: {keyword}"))
}

fn is_schema(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::Object(_))
}

fn pattern(text: &str, error: impl FnOnce() -> String) -> Read<Regex> {
    go_regex::compile(text).map_err(|_| error())
}

impl<'a> Keywords<'a> {
    pub(super) fn has(self, name: &str) -> bool {
        self.0.get_str(name).is_some()
    }

    pub(super) fn text(self, name: &str) -> Read<Option<&'a str>> {
        match self.0.get_str(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => wrong("string", name),
        }
    }

    /// The schemas that `definitions` names.
    pub(super) fn definitions(self) -> Read<Vec<(&'a Value, &'a Value)>> {
        match self.0.get_str("definitions") {
            None => Ok(Vec::new()),
            Some(Value::Object(members)) if members.values().all(is_schema) => Ok(members.iter().collect()),
            Some(_) => wrong("Array Of Schemas", "definitions"),
        }
    }

    pub(super) fn compile(self, compiler: &mut Compiler<'a>, base: &str) -> Read<Rule> {
        let mut rule = Rule { types: self.types()?, ..Rule::default() };
        self.object_rules(compiler, base, &mut rule)?;
        self.item_rules(compiler, base, &mut rule)?;
        self.number_bounds(compiler.draft, &mut rule)?;
        rule.lengths = self.bounds("minLength", "maxLength")?;
        let invalid = || "pattern must be a valid regex".to_owned();
        rule.pattern = self.text("pattern")?.map(|text| pattern(text, invalid)).transpose()?;
        rule.format = self.text("format")?.map(str::to_owned);
        rule.sizes = self.bounds("minProperties", "maxProperties")?;
        rule.required = self.required()?;
        rule.counts = Bounds { least: self.count("minItems")?, most: self.count("maxItems")? };
        rule.unique_items = match self.0.get_str("uniqueItems") {
            None => false,
            Some(Value::Bool(unique)) => *unique,
            Some(_) => return Err("uniqueItems must be of a boolean".into()),
        };
        if compiler.draft >= Draft::Six {
            let contains = self.0.get_str("contains");
            rule.contains = contains.map(|schema| compiler.rule(schema, base)).transpose()?;
            rule.constant = self.0.get_str("const").map(normalised);
        }
        rule.options = self.options()?;
        self.combinations(compiler, base, &mut rule)?;
        Ok(rule)
    }

    fn types(self) -> Read<Vec<&'static str>> {
        let named: Vec<&Value> = match self.0.get_str("type") {
            None => return Ok(Vec::new()),
            Some(name @ Value::String(_)) => vec![name],
            Some(Value::Array(names)) => names.iter().collect(),
            Some(_) => return wrong("type", "string/Array Of Strings"),
        };
        let mut types = Vec::with_capacity(named.len());
        for name in named {
            let Some(name) = name.as_str() else { return wrong("type", "string/Array Of Strings") };
            let known = TYPES.into_iter().find(|known| *known == name).ok_or_else(|| {
                let expected = "[array boolean integer number null object string]";
                format!(
                    "has a primitive type that is NOT VALID -- given: /{name}/ Expected valid values are:{expected}"
                )
            })?;
            if types.contains(&known) {
                return Err(format!("{known} type is duplicated"));
            }
            types.push(known);
        }
        Ok(types)
    }

    fn object_rules(self, compiler: &mut Compiler<'a>, base: &str, rule: &mut Rule) -> Read<()> {
        match self.0.get_str("properties") {
            None => {}
            Some(Value::Object(members)) => {
                for (name, schema) in members.iter() {
                    rule.properties.push((name.to_key().to_string(), compiler.rule(schema, base)?));
                }
            }
            Some(_) => return Err("Properties must be of type object".into()),
        }
        rule.additional_properties = self.additional(compiler, base, "additionalProperties")?;
        match self.0.get_str("patternProperties") {
            None => {}
            Some(Value::Object(members)) => {
                for (name, schema) in members.iter() {
                    let name = name.to_key();
                    let expression = pattern(&name, || format!("Invalid regex pattern '{name}'"))?;
                    rule.pattern_properties.push((expression, compiler.rule(schema, base)?));
                }
            }
            Some(_) => return wrong("Valid Schema", "patternProperties"),
        }
        if let Some(schema) = self.0.get_str("propertyNames").filter(|_| compiler.draft >= Draft::Six) {
            if !is_schema(schema) {
                return wrong("Valid Schema", "patternProperties");
            }
            rule.property_names = Some(compiler.rule(schema, base)?);
        }
        self.dependencies(compiler, base, rule)
    }

    fn dependencies(self, compiler: &mut Compiler<'a>, base: &str, rule: &mut Rule) -> Read<()> {
        const WRONG: &str = "Dependency must be of type Schema Or Array Of Strings";
        let members = match self.0.get_str("dependencies") {
            None => return Ok(()),
            Some(Value::Object(members)) => members,
            Some(_) => return Err("dependencies must be of type object".into()),
        };
        for (name, dependency) in members.iter() {
            let dependency = match dependency {
                Value::Array(names) => {
                    let names = names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>();
                    Dependency::Names(names.ok_or(WRONG)?)
                }
                schema if is_schema(schema) => Dependency::Rule(compiler.rule(schema, base)?),
                _ => return Err(WRONG.into()),
            };
            rule.dependencies.push((name.to_key().to_string(), dependency));
        }
        Ok(())
    }

    fn item_rules(self, compiler: &mut Compiler<'a>, base: &str, rule: &mut Rule) -> Read<()> {
        rule.items = match self.0.get_str("items") {
            None => None,
            Some(Value::Array(schemas)) if schemas.iter().all(is_schema) => {
                Some(Items::Each(schemas.iter().map(|schema| compiler.rule(schema, base)).collect::<Read<_>>()?))
            }
            Some(schema) if is_schema(schema) => Some(Items::All(compiler.rule(schema, base)?)),
            Some(_) => return wrong("Valid Schema/Array Of Schemas", "items"),
        };
        rule.additional_items = self.additional(compiler, base, "additionalItems")?;
        Ok(())
    }

    fn additional(self, compiler: &mut Compiler<'a>, base: &str, name: &str) -> Read<Option<Additional>> {
        match self.0.get_str(name) {
            None => Ok(None),
            Some(Value::Bool(permitted)) => Ok(Some(Additional::Permitted(*permitted))),
            Some(schema @ Value::Object(_)) => compiler.rule(schema, base).map(Additional::Rule).map(Some),
            Some(_) => wrong("boolean/Valid Schema", name),
        }
    }

    fn number_bounds(self, draft: Draft, rule: &mut Rule) -> Read<()> {
        match self.0.get_str("multipleOf") {
            None => {}
            Some(Value::Number(number)) if number.is_negative() || number.is_zero() => {
                return Err("multipleOf must be strictly greater than 0".into());
            }
            Some(Value::Number(number)) => rule.multiple_of = Some(number.clone()),
            Some(_) => return wrong("Number", "multipleOf"),
        }
        (rule.minimum, rule.exclusive_minimum) = self.bound(draft, "minimum", "exclusiveMinimum")?;
        (rule.maximum, rule.exclusive_maximum) = self.bound(draft, "maximum", "exclusiveMaximum")?;
        Ok(())
    }

    /// A bound, and one that excludes itself: in draft 4 the second keyword says that of the first.
    fn bound(self, draft: Draft, name: &str, exclusive: &str) -> Read<(Option<Number>, Option<Number>)> {
        let bound = match self.0.get_str(name) {
            None => None,
            Some(Value::Number(number)) => Some(number.clone()),
            Some(_) => return Err(format!("{name} must be of a Number")),
        };
        let (flags, numbers) = (draft == Draft::Four || draft == Draft::Any, draft != Draft::Four);
        match self.0.get_str(exclusive) {
            None => Ok((bound, None)),
            Some(Value::Bool(excludes)) if flags => match (bound, excludes) {
                (None, _) => Err(format!("{exclusive} cannot be used without {name}")),
                (bound, true) => Ok((None, bound)),
                (bound, false) => Ok((bound, None)),
            },
            Some(Value::Number(number)) if numbers => Ok((bound, Some(number.clone()))),
            Some(_) => wrong(
                match draft {
                    Draft::Four => "boolean",
                    Draft::Any => "boolean/number",
                    _ => "number",
                },
                exclusive,
            ),
        }
    }

    fn count(self, name: &str) -> Read<Option<usize>> {
        let Some(value) = self.0.get_str(name) else { return Ok(None) };
        let count =
            value.as_number().and_then(Number::as_i64).ok_or_else(|| format!("{name} must be of an integer"))?;
        usize::try_from(count).map(Some).map_err(|_| format!("{name} must be greater than or equal to 0"))
    }

    fn bounds(self, least_name: &str, most_name: &str) -> Read<Bounds> {
        let bounds = Bounds { least: self.count(least_name)?, most: self.count(most_name)? };
        match (bounds.least, bounds.most) {
            (Some(least), Some(most)) if least > most => {
                Err(format!("{least_name} cannot be greater than {most_name}"))
            }
            _ => Ok(bounds),
        }
    }

    fn list(self, name: &str) -> Read<&'a [Value]> {
        match self.0.get_str(name) {
            None => Ok(&[]),
            Some(value) => value.as_elements().ok_or_else(|| format!("{name} must be of an array")),
        }
    }

    fn required(self) -> Read<Vec<String>> {
        let mut required: Vec<String> = Vec::new();
        for name in self.list("required")? {
            let Some(name) = name.as_str() else { return wrong("string", "required") };
            if required.iter().any(|other| other == name) {
                return Err("required items must be unique".into());
            }
            required.push(name.to_owned());
        }
        Ok(required)
    }

    fn options(self) -> Read<Option<Vec<Value>>> {
        let options: Vec<_> = self.list("enum")?.iter().map(normalised).collect();
        let mut sorted: Vec<_> = options.iter().collect();
        sorted.sort();
        if sorted.windows(2).any(|pair| matches!(pair, [a, b] if a == b)) {
            return Err("enum items must be unique".into());
        }
        Ok(self.has("enum").then_some(options))
    }

    fn combinations(self, compiler: &mut Compiler<'a>, base: &str, rule: &mut Rule) -> Read<()> {
        let mut all = |name| {
            let schemas = self.list(name)?;
            schemas.iter().map(|schema| compiler.rule(schema, base)).collect::<Read<Vec<RuleId>>>()
        };
        (rule.one_of, rule.any_of, rule.all_of) = (all("oneOf")?, all("anyOf")?, all("allOf")?);
        let mut one = |name| match self.0.get_str(name) {
            None => Ok(None),
            Some(schema) if is_schema(schema) => compiler.rule(schema, base).map(Some),
            Some(_) => Err(format!("{name} must be of an object")),
        };
        rule.not = one("not")?;
        if compiler.draft >= Draft::Seven {
            let mut one = |name| match self.0.get_str(name) {
                None => Ok(None),
                Some(schema) if is_schema(schema) => compiler.rule(schema, base).map(Some),
                Some(_) => Err(format!("{name} must be of an object")),
            };
            (rule.condition, rule.then, rule.otherwise) = (one("if")?, one("then")?, one("else")?);
        }
        Ok(())
    }
}
