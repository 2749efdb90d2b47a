//! A document against the rules of a schema.
//!
//! Violations are told in the order in which OPA tells them. Where one of several schemas must hold, the violations of
//! the one that held best are told; how well is a score that counts what held and what did not.

use std::collections::BTreeMap;

use palisade_model::Str;
use palisade_rego_value::{Number, Object, Value};

use super::formats::json_schema::has_format;
use super::numbers::{is_multiple, normalised, shown};
use super::{Additional, Dependency, Items, Rule, RuleId, Unjudged, Violation};

/// How deeply rules may be applied within one another.
const MAX_DEPTH: u32 = 128;

pub(super) fn validate(rules: &[Rule], document: &Value, steps: &mut u64) -> Result<Vec<Violation>, Unjudged> {
    let mut validator = Validator { rules, steps, depth: 0 };
    let mut outcome = Outcome::default();
    validator.apply(0, document, &Place::Root, &mut outcome)?;
    Ok(outcome.violations)
}

/// Where in the document.
enum Place<'a> {
    Root,
    Below(&'a Place<'a>, Str),
}

impl Place<'_> {
    fn field(&self) -> String {
        match self {
            Self::Root => "(Root)".to_owned(),
            Self::Below(Place::Root, name) => name.to_string(),
            Self::Below(outer, name) => format!("{}.{name}", outer.field()),
        }
    }
}

#[derive(Default)]
struct Outcome {
    violations: Vec<Violation>,
    score: i64,
}

impl Outcome {
    fn is_valid(&self) -> bool {
        self.violations.is_empty()
    }

    fn violate(&mut self, kind: &'static str, place: &Place<'_>, description: String) {
        self.violations.push(Violation { kind, field: place.field(), description });
        self.score -= 2;
    }

    fn merge(&mut self, other: Self) {
        self.violations.extend(other.violations);
        self.score += other.score;
    }
}

type Done = Result<(), Unjudged>;

struct Validator<'a> {
    rules: &'a [Rule],
    steps: &'a mut u64,
    depth: u32,
}

impl Validator<'_> {
    fn step(&mut self) -> Done {
        *self.steps = self.steps.checked_sub(1).ok_or(Unjudged::TooManySteps)?;
        Ok(())
    }

    fn apply(&mut self, id: RuleId, value: &Value, place: &Place<'_>, outcome: &mut Outcome) -> Done {
        self.step()?;
        if self.depth >= MAX_DEPTH {
            return Err(Unjudged::TooDeep);
        }
        self.depth += 1;
        let done = self.apply_rule(id, value, place, outcome);
        self.depth -= 1;
        done
    }

    fn separately(&mut self, id: RuleId, value: &Value, place: &Place<'_>) -> Result<Outcome, Unjudged> {
        let mut outcome = Outcome::default();
        self.apply(id, value, place, &mut outcome)?;
        Ok(outcome)
    }

    fn apply_rule(&mut self, id: RuleId, value: &Value, place: &Place<'_>, outcome: &mut Outcome) -> Done {
        let rules = self.rules;
        let Some(rule) = rules.get(id) else { return Ok(()) };
        match (rule.verdict, rule.reference) {
            (Some(true), _) => return Ok(()),
            (Some(false), _) => {
                outcome.violate("false", place, "False always fails validation".into());
                return Ok(());
            }
            (None, Some(target)) => return self.apply(target, value, place, outcome),
            (None, None) => {}
        }
        let given = type_of(value);
        let fits = |name: &&str| *name == given || (*name == "number" && given == "integer");
        if !rule.types.is_empty() && !rule.types.iter().any(fits) {
            let expected = match rule.types.as_slice() {
                [one] => (*one).to_owned(),
                several => format!("[{}]", several.join(",")),
            };
            outcome.violate("invalid_type", place, format!("Invalid type. Expected: {expected}, given: {given}"));
            return Ok(());
        }
        self.combinations(rule, value, place, outcome)?;
        match value {
            Value::Array(items) => self.array(rule, items, place, outcome)?,
            Value::Set(items) => self.array(rule, items.as_slice(), place, outcome)?,
            Value::Object(members) => self.object(rule, members, place, outcome)?,
            Value::Number(number) => numbers(rule, number, place, outcome),
            _ => {}
        }
        self.step()?;
        literal(rule, value, place, outcome);
        match value {
            Value::String(text) => strings(rule, text, place, outcome),
            Value::Object(members) => self.properties(rule, members, place, outcome)?,
            _ => {}
        }
        outcome.score += 1;
        Ok(())
    }

    fn combinations(&mut self, rule: &Rule, value: &Value, place: &Place<'_>, outcome: &mut Outcome) -> Done {
        self.any_of(rule, value, place, outcome)?;
        self.one_of(rule, value, place, outcome)?;
        let mut broken = false;
        for id in &rule.all_of {
            let part = self.separately(*id, value, place)?;
            broken |= !part.is_valid();
            outcome.merge(part);
        }
        if broken {
            outcome.violate("number_all_of", place, "Must validate all the schemas (allOf)".into());
        }
        if let Some(id) = rule.not
            && self.separately(id, value, place)?.is_valid()
        {
            outcome.violate("number_not", place, "Must not validate the schema (not)".into());
        }
        self.dependencies(rule, value, place, outcome)?;
        self.condition(rule, value, place, outcome)?;
        outcome.score += 1;
        Ok(())
    }

    fn any_of(&mut self, rule: &Rule, value: &Value, place: &Place<'_>, outcome: &mut Outcome) -> Done {
        let mut best: Option<Outcome> = None;
        for id in &rule.any_of {
            let part = self.separately(*id, value, place)?;
            if part.is_valid() {
                return Ok(());
            }
            if best.as_ref().is_none_or(|best| part.score > best.score) {
                best = Some(part);
            }
        }
        if let Some(best) = best {
            outcome.violate("number_any_of", place, "Must validate at least one schema (anyOf)".into());
            outcome.merge(best);
        }
        Ok(())
    }

    fn one_of(&mut self, rule: &Rule, value: &Value, place: &Place<'_>, outcome: &mut Outcome) -> Done {
        let (mut valid, mut best) = (0, None::<Outcome>);
        for id in &rule.one_of {
            let part = self.separately(*id, value, place)?;
            if part.is_valid() {
                valid += 1;
            } else if valid == 0 && best.as_ref().is_none_or(|best| part.score > best.score) {
                best = Some(part);
            }
        }
        if rule.one_of.is_empty() || valid == 1 {
            return Ok(());
        }
        outcome.violate("number_one_of", place, "Must validate one and only one schema (oneOf)".into());
        if let Some(best) = best.filter(|_| valid == 0) {
            outcome.merge(best);
        }
        Ok(())
    }

    fn dependencies(&mut self, rule: &Rule, value: &Value, place: &Place<'_>, outcome: &mut Outcome) -> Done {
        let Value::Object(members) = value else { return Ok(()) };
        for (name, dependency) in &rule.dependencies {
            if members.get_str(name).is_none() {
                continue;
            }
            match dependency {
                Dependency::Names(names) => {
                    for missing in names.iter().filter(|name| members.get_str(name).is_none()) {
                        outcome.violate("missing_dependency", place, format!("Has a dependency on {missing}"));
                    }
                }
                Dependency::Rule(id) => self.apply(*id, value, place, outcome)?,
            }
        }
        Ok(())
    }

    fn condition(&mut self, rule: &Rule, value: &Value, place: &Place<'_>, outcome: &mut Outcome) -> Done {
        let Some(condition) = rule.condition else { return Ok(()) };
        let holds = self.separately(condition, value, place)?.is_valid();
        let (branch, kind, words) = if holds {
            (rule.then, "condition_then", r#"Must validate "then" as "if" was valid"#)
        } else {
            (rule.otherwise, "condition_else", r#"Must validate "else" as "if" was not valid"#)
        };
        let Some(branch) = branch else { return Ok(()) };
        let part = self.separately(branch, value, place)?;
        if !part.is_valid() {
            outcome.violate(kind, place, words.into());
            outcome.merge(part);
        }
        Ok(())
    }

    fn array(&mut self, rule: &Rule, items: &[Value], place: &Place<'_>, outcome: &mut Outcome) -> Done {
        let below = |index: usize| Place::Below(place, index.to_string().into());
        let rest = match &rule.items {
            None => items.len(),
            Some(Items::All(id)) => {
                for (index, item) in items.iter().enumerate() {
                    outcome.merge(self.separately(*id, item, &below(index))?);
                }
                items.len()
            }
            Some(Items::Each(ids)) => {
                for (index, (id, item)) in ids.iter().zip(items).enumerate() {
                    outcome.merge(self.separately(*id, item, &below(index))?);
                }
                if ids.is_empty() { items.len() } else { ids.len() }
            }
        };
        match &rule.additional_items {
            Some(Additional::Permitted(false)) if rest < items.len() => {
                outcome.violate("array_no_additional_items", place, "No additional items allowed on array".into());
            }
            Some(Additional::Rule(id)) => {
                for (index, item) in items.iter().enumerate().skip(rest) {
                    outcome.merge(self.separately(*id, item, &below(index))?);
                }
            }
            _ => {}
        }
        if let Some(least) = rule.counts.least.filter(|least| items.len() < *least) {
            outcome.violate("array_min_items", place, format!("Array must have at least {least} items"));
        }
        if let Some(most) = rule.counts.most.filter(|most| items.len() > *most) {
            outcome.violate("array_max_items", place, format!("Array must have at most {most} items"));
        }
        if rule.unique_items {
            let mut seen = BTreeMap::new();
            for (index, item) in items.iter().enumerate() {
                self.step()?;
                if let Some(other) = seen.insert(normalised(item), index) {
                    outcome.violate("unique", place, format!("array items[{other},{index}] must be unique"));
                }
            }
        }
        if let Some(id) = rule.contains {
            self.contains(id, items, place, outcome)?;
        }
        outcome.score += 1;
        Ok(())
    }

    fn contains(&mut self, id: RuleId, items: &[Value], place: &Place<'_>, outcome: &mut Outcome) -> Done {
        let mut best: Option<Outcome> = None;
        for (index, item) in items.iter().enumerate() {
            let part = self.separately(id, item, &Place::Below(place, index.to_string().into()))?;
            if part.is_valid() {
                return Ok(());
            }
            if best.as_ref().is_none_or(|best| part.score > best.score) {
                best = Some(part);
            }
        }
        outcome.violate("contains", place, "At least one of the items must match".into());
        if let Some(best) = best {
            outcome.merge(best);
        }
        Ok(())
    }

    fn object(&mut self, rule: &Rule, members: &Object, place: &Place<'_>, outcome: &mut Outcome) -> Done {
        if let Some(least) = rule.sizes.least.filter(|least| members.len() < *least) {
            outcome.violate("array_min_properties", place, format!("Must have at least {least} properties"));
        }
        if let Some(most) = rule.sizes.most.filter(|most| members.len() > *most) {
            outcome.violate("array_max_properties", place, format!("Must have at most {most} properties"));
        }
        for name in &rule.required {
            if members.get_str(name).is_some() {
                outcome.score += 1;
            } else {
                outcome.violate("required", place, format!("{name} is required"));
            }
        }
        for (name, member) in members.iter() {
            self.step()?;
            let name = name.to_key();
            let described = rule.properties.binary_search_by(|(other, _)| (**other).cmp(&*name)).is_ok();
            let mut matched = false;
            for (pattern, id) in &rule.pattern_properties {
                self.step()?;
                if pattern.is_match(&name) {
                    matched = true;
                    outcome.merge(self.separately(*id, member, &Place::Below(place, name.clone()))?);
                }
            }
            outcome.score += i64::from(matched);
            match &rule.additional_properties {
                _ if described || matched => {}
                Some(Additional::Permitted(false)) => {
                    let words = format!("Additional property {name} is not allowed");
                    outcome.violate("additional_property_not_allowed", place, words);
                }
                Some(Additional::Rule(id)) => {
                    outcome.merge(self.separately(*id, member, &Place::Below(place, name))?);
                }
                _ => {}
            }
        }
        if let Some(id) = rule.property_names {
            for name in members.keys().map(Value::to_key) {
                let part = self.separately(id, &Value::from(name.clone()), place)?;
                if !part.is_valid() {
                    let words = format!("Property name of \"{name}\" does not match");
                    outcome.violate("invalid_property_name", place, words);
                    outcome.merge(part);
                }
            }
        }
        outcome.score += 1;
        Ok(())
    }

    fn properties(&mut self, rule: &Rule, members: &Object, place: &Place<'_>, outcome: &mut Outcome) -> Done {
        for (name, id) in &rule.properties {
            if let Some(member) = members.get_str(name) {
                self.apply(*id, member, &Place::Below(place, name.as_str().into()), outcome)?;
            }
        }
        Ok(())
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Number(number) if number.is_integer() => "integer",
        Value::Set(_) => "array",
        other => other.type_name(),
    }
}

fn literal(rule: &Rule, value: &Value, place: &Place<'_>, outcome: &mut Outcome) {
    if let Some(constant) = rule.constant.as_ref().filter(|constant| **constant != normalised(value)) {
        let words = format!("{} does not match: {}", place.field(), constant.to_json());
        outcome.violate("const", place, words);
    }
    if let Some(options) = rule.options.as_ref().filter(|options| !options.contains(&normalised(value))) {
        let allowed = match options.as_slice() {
            [] => "(none)".to_owned(),
            options => options.iter().map(Value::to_json).collect::<Vec<_>>().join(", "),
        };
        outcome.violate("enum", place, format!("{} must be one of the following: {allowed}", place.field()));
    }
    if let (Some(format), Value::String(text)) = (&rule.format, value)
        && !has_format(format, text)
    {
        outcome.violate("format", place, format!("Does not match format '{format}'"));
    }
    outcome.score += 1;
}

fn strings(rule: &Rule, text: &str, place: &Place<'_>, outcome: &mut Outcome) {
    let length = text.chars().count();
    if let Some(least) = rule.lengths.least.filter(|least| length < *least) {
        let words = format!("String length must be greater than or equal to {least}");
        outcome.violate("string_gte", place, words);
    }
    if let Some(most) = rule.lengths.most.filter(|most| length > *most) {
        outcome.violate("string_lte", place, format!("String length must be less than or equal to {most}"));
    }
    if let Some(pattern) = rule.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
        outcome.violate("pattern", place, format!("Does not match pattern '{pattern}'"));
    }
    outcome.score += 1;
}

fn numbers(rule: &Rule, number: &Number, place: &Place<'_>, outcome: &mut Outcome) {
    if let Some(of) = rule.multiple_of.as_ref().filter(|of| !is_multiple(number, of)) {
        outcome.violate("multiple_of", place, format!("Must be a multiple of {}", shown(of)));
    }
    if let Some(most) = rule.maximum.as_ref().filter(|most| number > *most) {
        outcome.violate("number_lte", place, format!("Must be less than or equal to {}", shown(most)));
    }
    if let Some(most) = rule.exclusive_maximum.as_ref().filter(|most| number >= *most) {
        outcome.violate("number_lt", place, format!("Must be less than {}", shown(most)));
    }
    if let Some(least) = rule.minimum.as_ref().filter(|least| number < *least) {
        outcome.violate("number_gte", place, format!("Must be greater than or equal to {}", shown(least)));
    }
    if let Some(least) = rule.exclusive_minimum.as_ref().filter(|least| number <= *least) {
        outcome.violate("number_gt", place, format!("Must be greater than {}", shown(least)));
    }
    outcome.score += 1;
}
