//! Whether a value fits a schema, and where not.

use palisade_model::{Map, Path, Segment, Value};
use palisade_schema::formats::kubernetes::has_format;

use super::{Additional, Breach, Schema};

/// The most breaches that are reported; a hostile value could have millions.
const MAX_BREACHES: usize = 20;
/// The most parts of values that are compared with parts of the schema. Alternatives within alternatives of a hostile
/// schema would otherwise multiply.
const MAX_STEPS: u32 = 5_000_000;

impl Schema {
    /// Where `value`, which stands at `path`, does not fit.
    pub(crate) fn breaches(&self, value: &Value, path: &Path) -> Vec<Breach> {
        let mut check = Check { breaches: Vec::new(), steps: MAX_STEPS };
        check.value(self, value, path);
        if check.steps == 0 {
            let message = "the schema has too many alternatives to be checked".to_owned();
            check.breaches.push(Breach { path: path.clone(), message });
        }
        check.breaches
    }
}

struct Check {
    breaches: Vec<Breach>,
    steps: u32,
}

impl Check {
    /// Whether a value fits an alternative; what does not is nobody's business.
    fn admits(&mut self, schema: &Schema, value: &Value) -> bool {
        let mut check = Self { breaches: Vec::new(), steps: self.steps };
        check.value(schema, value, &Path::root());
        self.steps = check.steps;
        check.breaches.is_empty()
    }

    fn breach(&mut self, path: &Path, message: impl FnOnce() -> String) {
        if self.breaches.len() < MAX_BREACHES {
            self.breaches.push(Breach { path: path.clone(), message: format!("`{path}` {}", message()) });
        }
    }

    fn value(&mut self, schema: &Schema, value: &Value, path: &Path) {
        self.steps = self.steps.saturating_sub(1);
        if self.breaches.len() >= MAX_BREACHES || self.steps == 0 {
            return;
        }
        if value.is_null() {
            if !schema.nullable
                && let Some(kind) = schema.kind
            {
                self.breach(path, || format!("must be of type {}, not null", kind.name()));
            }
            return;
        }
        if !self.fits_type(schema, value, path) {
            return;
        }
        if !schema.choices.is_empty() && !schema.choices.contains(value) {
            self.breach(path, || {
                let choices: Vec<_> = schema.choices.iter().map(Value::to_json).collect();
                format!("must be one of {}, not {value}", choices.join(", "))
            });
        }
        match value {
            Value::String(text) => self.text(schema, text, path),
            Value::Int(_) | Value::Float(_) => self.number(schema, value, path),
            Value::Array(items) => self.items(schema, items, path),
            Value::Object(map) => self.members(schema, map, path),
            _ => {}
        }
        self.combinations(schema, value, path);
    }

    fn fits_type(&mut self, schema: &Schema, value: &Value, path: &Path) -> bool {
        let fits = match schema.kind {
            _ if schema.int_or_string => value.as_i64().is_some() || value.as_str().is_some(),
            Some(kind) => kind.admits(value),
            None => true,
        };
        if !fits {
            let wanted = schema.kind.filter(|_| !schema.int_or_string).map_or("integer or string", super::Type::name);
            self.breach(path, || format!("must be of type {wanted}, not {}", value.type_name()));
        }
        fits
    }

    fn size(&mut self, bounds: super::Bounds<usize>, size: usize, what: &str, path: &Path) {
        if let Some(least) = bounds.least.filter(|least| size < *least) {
            self.breach(path, || format!("must have at least {least} {what}, not {size}"));
        }
        if let Some(most) = bounds.most.filter(|most| size > *most) {
            self.breach(path, || format!("must have at most {most} {what}, not {size}"));
        }
    }

    fn text(&mut self, schema: &Schema, text: &str, path: &Path) {
        let [characters, ..] = schema.sizes;
        self.size(characters, text.chars().count(), "characters", path);
        if let Some(pattern) = schema.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
            self.breach(path, || format!("must match `{pattern}`, which `{text}` does not"));
        }
        if let Some(format) = schema.format.as_deref().filter(|format| !has_format(format, text)) {
            self.breach(path, || format!("must be in the format {format}, which `{text}` is not"));
        }
    }

    fn number(&mut self, schema: &Schema, value: &Value, path: &Path) {
        let Some(number) = value.as_f64() else { return };
        if let Some(least) = schema.range.least
            && (number < least || (schema.exclusive_minimum && number <= least))
        {
            self.breach(path, || format!("must not be less than {least}, as {value} is"));
        }
        if let Some(most) = schema.range.most
            && (number > most || (schema.exclusive_maximum && number >= most))
        {
            self.breach(path, || format!("must not be more than {most}, as {value} is"));
        }
        if let Some(factor) = schema.multiple_of
            && (number / factor).fract() != 0.0
        {
            self.breach(path, || format!("must be a multiple of {factor}, which {value} is not"));
        }
        if schema.format.as_deref() == Some("int32") && i32::try_from(value.as_i64().unwrap_or_default()).is_err() {
            self.breach(path, || format!("must fit 32 bits, which {value} does not"));
        }
    }

    fn items(&mut self, schema: &Schema, items: &[Value], path: &Path) {
        let [_, elements, _] = schema.sizes;
        self.size(elements, items.len(), "elements", path);
        if schema.unique_items && has_duplicates(items) {
            self.breach(path, || "must not have the same element twice".to_owned());
        }
        let Some(of) = &schema.items else { return };
        for (index, item) in items.iter().enumerate() {
            self.value(of, item, &path.child(Segment::Index(index)));
        }
    }

    fn members(&mut self, schema: &Schema, map: &Map, path: &Path) {
        let [_, _, members] = schema.sizes;
        self.size(members, map.len(), "members", path);
        for name in schema.required.iter().filter(|name| map.get(name).is_none()) {
            self.breach(path, || format!("must have `{name}`"));
        }
        for (name, value) in map.iter() {
            let path = path.child(&**name);
            match (schema.property(name), &schema.additional) {
                (Some(schema), _) => self.value(schema, value, &path),
                (None, Additional::Of(schema)) => self.value(schema, value, &path),
                (None, Additional::Allowed(false)) => self.breach(&path, || "is not allowed here".to_owned()),
                _ => {}
            }
        }
    }

    fn combinations(&mut self, schema: &Schema, value: &Value, path: &Path) {
        for each in &schema.all_of {
            self.value(each, value, path);
        }
        if !schema.any_of.is_empty() && !schema.any_of.iter().any(|each| self.admits(each, value)) {
            self.breach(path, || "fits none of `anyOf`".to_owned());
        }
        if !schema.one_of.is_empty() {
            let fitting = schema.one_of.iter().filter(|each| self.admits(each, value)).count();
            if fitting != 1 {
                self.breach(path, || format!("must fit exactly one of `oneOf`, not {fitting}"));
            }
        }
        if schema.not.as_ref().is_some_and(|not| self.admits(not, value)) {
            self.breach(path, || "fits what `not` forbids".to_owned());
        }
    }
}

fn has_duplicates(items: &[Value]) -> bool {
    let mut texts: Vec<String> = items.iter().map(Value::to_canonical_json).collect();
    texts.sort_unstable();
    texts.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}
