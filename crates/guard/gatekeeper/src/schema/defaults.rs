//! What a schema fills in.

use palisade_model::{Map, Value};

use super::{Additional, Schema};

impl Schema {
    /// The value with the defaults of absent members filled in, as the API server stores it. A `null` that may not be
    /// one counts as absent where there is a default.
    pub(crate) fn with_defaults(&self, value: &Value) -> Value {
        match (value, &self.items) {
            (Value::Object(map), _) => Value::object(self.fill(map)),
            (Value::Array(items), Some(schema)) => {
                Value::array(items.iter().map(|item| schema.with_defaults(item)).collect::<Vec<_>>())
            }
            (other, _) => other.clone(),
        }
    }

    fn fill(&self, map: &Map) -> Map {
        let mut filled = Map::with_capacity(map.len());
        for (name, value) in map.iter() {
            let schema = self.property(name).or(match &self.additional {
                Additional::Of(schema) => Some(schema),
                _ => None,
            });
            let value = match schema {
                Some(Self { default: Some(default), nullable: false, .. }) if value.is_null() => default,
                _ => value,
            };
            filled.insert(name.clone(), schema.map_or_else(|| value.clone(), |schema| schema.with_defaults(value)));
        }
        for (name, schema) in &self.properties {
            if let Some(default) = schema.default.as_ref().filter(|_| filled.get(name).is_none()) {
                filled.insert(name.clone(), schema.with_defaults(default));
            }
        }
        filled
    }
}
