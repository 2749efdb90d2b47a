//! Making one change: down the location, creating what is missing, to the value at its end.

use palisade_model::{Map, Str, Value};

use super::image::ImageParts;
use super::location::{Location, Step};

/// What is done at the end of a location.
#[derive(Clone, Debug)]
pub(super) enum Setter {
    /// The value takes the place of what is there.
    Assign(Value),
    /// The values are added to the list unless they are in it.
    Merge(Vec<Value>),
    /// The values are removed from the list.
    Prune(Vec<Value>),
    /// Parts of the image are replaced.
    Image(ImageParts),
}

/// Whether something must be there already, by the number of steps that lead to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    MustExist,
    MustNotExist,
}

/// One change of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change<'a> {
    pub(super) location: &'a Location,
    /// Conditions on the way, by depth.
    pub(super) conditions: &'a [Option<Condition>],
    pub(super) setter: &'a Setter,
}

impl Change<'_> {
    /// The changed object; `None` where a condition does not hold or there is nothing to change.
    pub(super) fn of(&self, object: &Value) -> Result<Option<Value>, String> {
        self.at(object, 0)
    }

    /// Whether going on is right when something is there, or is not.
    fn permits(&self, depth: usize, exists: bool) -> bool {
        match self.conditions.get(depth).copied().flatten() {
            None => true,
            Some(Condition::MustExist) => exists,
            Some(Condition::MustNotExist) => !exists,
        }
    }

    fn at(&self, current: &Value, depth: usize) -> Result<Option<Value>, String> {
        match (self.location.0.get(depth), current) {
            (None, _) => Ok(None),
            (Some(Step::Field(name)), Value::Object(map)) => self.in_object(map, name, depth),
            (Some(Step::Element { key, value }), Value::Array(items)) => {
                self.in_list(items, key, value.as_ref(), depth)
            }
            (Some(Step::Field(name)), other) => {
                Err(format!("the location wants an object with `{name}`, but there is a {}", other.type_name()))
            }
            (Some(Step::Element { key, .. }), other) => {
                Err(format!("the location wants a list with the key `{key}`, but there is a {}", other.type_name()))
            }
        }
    }

    fn is_last(&self, depth: usize) -> bool {
        depth + 1 == self.location.0.len()
    }

    fn in_object(&self, map: &Map, name: &Str, depth: usize) -> Result<Option<Value>, String> {
        let existing = map.get(name).filter(|value| !value.is_null());
        if !self.permits(depth, existing.is_some()) {
            return Ok(None);
        }
        let value = if self.is_last(depth) {
            // Pruning a list that is missing counts as done, so that what leads to it is created all the same.
            match self.setter.set(existing)? {
                Some(value) => Some(value),
                None => return Ok(Some(Value::object(map.clone()))),
            }
        } else {
            match existing {
                Some(value) => self.at(value, depth + 1)?,
                None => self.at(&self.created(depth)?, depth + 1)?,
            }
        };
        Ok(value.map(|value| {
            let mut map = map.clone();
            map.insert(name.clone(), value);
            Value::object(map)
        }))
    }

    fn in_list(
        &self,
        items: &[Value],
        key: &str,
        wanted: Option<&Value>,
        depth: usize,
    ) -> Result<Option<Value>, String> {
        if self.is_last(depth) {
            return self.set_element(items, key, wanted, depth);
        }
        if wanted.is_none() && !self.permits(depth, true) {
            return Ok(None);
        }
        let mut items = items.to_vec();
        let (mut changed, mut found) = (false, false);
        for item in &mut items {
            if wanted.is_some_and(|wanted| item.get(key) != Some(wanted)) {
                continue;
            }
            if !self.permits(depth, true) {
                return Ok(None);
            }
            found = true;
            if let Some(new) = self.at(item, depth + 1)? {
                *item = new;
                changed = true;
            }
        }
        if wanted.is_some() && !found {
            if !self.permits(depth, false) {
                return Ok(None);
            }
            let created = self.at(&self.created(depth)?, depth + 1)?;
            changed |= created.is_some();
            items.extend(created);
        }
        Ok(changed.then(|| Value::array(items)))
    }

    /// Puts a whole element into a list, which only Assign does.
    fn set_element(
        &self,
        items: &[Value],
        key: &str,
        wanted: Option<&Value>,
        depth: usize,
    ) -> Result<Option<Value>, String> {
        let (Setter::Assign(element), Some(wanted)) = (self.setter, wanted) else {
            return Err("only Assign sets elements of a list, one at a time".into());
        };
        if element.get(key) != Some(wanted) {
            return Err(format!("the assigned element must have the key `{key}: {wanted}`"));
        }
        let mut items = items.to_vec();
        let existing = items.iter_mut().find(|item| item.get(key) == Some(wanted));
        if !self.permits(depth, existing.is_some()) {
            return Ok(None);
        }
        match existing {
            Some(item) => *item = element.clone(),
            None => items.push(element.clone()),
        }
        Ok(Some(Value::array(items)))
    }

    /// What stands for a missing part: of the form that the next step wants, with the key of a new element.
    fn created(&self, depth: usize) -> Result<Value, String> {
        if matches!(self.location.0.get(depth + 1), Some(Step::Element { .. })) {
            return Ok(Value::array(Vec::new()));
        }
        let mut map = Map::new();
        if let Some(Step::Element { key, value }) = self.location.0.get(depth) {
            let value = value.clone().ok_or("an element that every key fits cannot be created")?;
            map.insert(key.clone(), value);
        }
        Ok(Value::object(map))
    }
}

impl Setter {
    /// The value in the place of `existing`; `None` where it stays missing.
    fn set(&self, existing: Option<&Value>) -> Result<Option<Value>, String> {
        match self {
            Self::Assign(value) => Ok(Some(value.clone())),
            Self::Merge(values) => {
                let mut list = existing.map_or(Ok(Vec::new()), set)?;
                for value in values {
                    if !list.contains(value) {
                        list.push(value.clone());
                    }
                }
                Ok(Some(Value::array(list)))
            }
            Self::Prune(values) => {
                let Some(existing) = existing else { return Ok(None) };
                let mut list = set(existing)?;
                list.retain(|value| !values.contains(value));
                Ok(Some(Value::array(list)))
            }
            Self::Image(parts) => match existing.map(Value::as_str) {
                None => Ok(Some(Value::from(parts.assign("")))),
                Some(Some(image)) => Ok(Some(Value::from(parts.assign(image)))),
                Some(None) => Err("AssignImage wants a text at its location".into()),
            },
        }
    }
}

fn set(value: &Value) -> Result<Vec<Value>, String> {
    let list = value.as_array().map(<[Value]>::to_vec);
    list.ok_or_else(|| format!("ModifySet wants a list at its location, but there is a {}", value.type_name()))
}
