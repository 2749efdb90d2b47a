//! Fills in what an API server fills in, and drops what it drops.

use std::borrow::Cow;

use palisade_model::{GroupVersionKind, Map, Value};

use crate::table::{NEWEST, Shape, Table, Type};

/// Groups of custom kinds whose definitions permit no null where rules look.
const WITHOUT_NULLS: [&str; 6] =
    ["apps.openshift.io", "argoproj.io", "cilium.io", "keda.sh", "monitoring.coreos.com", "serving.knative.dev"];

fn drops_nulls(kind: &GroupVersionKind) -> bool {
    kind.is_built_in() || WITHOUT_NULLS.contains(&&*kind.group)
}

/// The object as the API server puts it before policies; `None` where it stays as it is, as objects of foreign kinds do. What is written stays where it is, so that a path leads to the same field in both.
pub fn admitted(object: &Value) -> Option<Value> {
    let text = |key| object.get(key).and_then(Value::as_str);
    let table = &*NEWEST;
    let (api_version, kind) = (text("apiVersion")?, text("kind")?);
    match table.kind(api_version, kind) {
        Some(of) => table.object(of, object.as_object()?),
        // Of kinds of its own that are not in the table, members that are null are dropped.
        None => (drops_nulls(&GroupVersionKind::new(api_version, kind)) && object.has_null_members())
            .then(|| object.without_null_members()),
    }
}

impl Table {
    fn value(&self, shape: &Shape, value: &Value) -> Option<Value> {
        match (shape, value) {
            (Shape::Of(number), Value::Object(map)) => self.object(self.of(*number)?, map),
            (Shape::List(item), Value::Array(items)) => self.list(item, items),
            (Shape::Map(item), Value::Object(map)) => self.map(item, map),
            (Shape::Quantity, _) => amount(value),
            _ => None,
        }
    }

    fn object(&self, of: &Type, map: &Map) -> Option<Value> {
        let mut made = Cow::Borrowed(map);
        for (name, value) in map.iter() {
            let field = of.field(name);
            if value.is_null() || (field.is_some_and(|field| field.empty_is_absent) && is_empty(value)) {
                made.to_mut().remove(name);
            } else if let Some(changed) = field.and_then(|field| self.value(&field.shape, value)) {
                made.to_mut().insert(name.clone(), changed);
            }
        }
        for (name, value) in &of.defaults {
            if !made.contains_key(name) {
                *made.to_mut().append(name.clone()) = value.clone();
            }
        }
        if let Some(condition) = of.condition {
            condition(&mut made, map);
        }
        owned(made)
    }

    fn list(&self, item: &Shape, items: &[Value]) -> Option<Value> {
        let mut made = Cow::Borrowed(items);
        for (at, value) in items.iter().enumerate() {
            if let Some(changed) = self.value(item, value)
                && let Some(slot) = made.to_mut().get_mut(at)
            {
                *slot = changed;
            }
        }
        match made {
            Cow::Borrowed(_) => None,
            Cow::Owned(items) => Some(Value::array(items)),
        }
    }

    fn map(&self, item: &Shape, map: &Map) -> Option<Value> {
        let mut made = Cow::Borrowed(map);
        for (name, value) in map.iter() {
            if value.is_null() {
                made.to_mut().remove(name);
            } else if let Some(changed) = self.value(item, value) {
                made.to_mut().insert(name.clone(), changed);
            }
        }
        owned(made)
    }
}

fn owned(made: Cow<'_, Map>) -> Option<Value> {
    match made {
        Cow::Borrowed(_) => None,
        Cow::Owned(map) => Some(Value::object(map)),
    }
}

/// Whether Go's `omitempty` leaves the value out.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) | Value::Int(0) => true,
        Value::Float(number) => *number == 0.0,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(true) | Value::Int(_) => false,
    }
}

/// A number where an amount belongs is a text for whoever asks the API server. How an amount is written stays, though the
/// server says `2560Mi` for `2.5Gi`: a message about what nobody wrote would be no help.
fn amount(value: &Value) -> Option<Value> {
    matches!(value, Value::Int(_) | Value::Float(_)).then(|| value.to_json().into())
}
