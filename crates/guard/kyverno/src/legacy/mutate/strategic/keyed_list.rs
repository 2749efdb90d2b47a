//! Merging lists whose elements have keys: containers by name, ports by number and protocol, finalizers by text.
//!
//! Elements that the patch adds come first, the resource's own keep their order behind them, each merged with the
//! patch's element of the same key. The odd results that upstream has for elements without a key, for repeated keys
//! and for partly given ones follow from its order of operations, which is kept here step by step.

use std::collections::HashSet;

use palisade_model::Value;

use super::merge::{Directive, MergeError, Merged, Walker};
use super::schema::{Fields, Shape};
use super::{is_empty_map, scalar_text, spend};

/// The key values of an element, in the order of the list's keys; empty where one is missing.
type Values = Vec<String>;

/// The key of a list of scalars: the element itself.
const ITSELF: &[&str] = &[""];

/// Whether a walk without a patch would leave the node as it is.
pub(super) fn is_tidy(value: &Value, shape: Shape) -> bool {
    match (shape.or_named_by([Some(value), None]), value) {
        (shape, Value::Object(members)) => members.iter().all(|(name, value)| is_tidy(value, shape.field(name))),
        (Shape::List(keys, fields), Value::Array(items)) => {
            distinct(items, keys) && items.iter().all(|item| is_tidy(item, Shape::Object(fields)))
        }
        _ => true,
    }
}

/// Whether all elements give the same keys, and no two the same values.
fn distinct(items: &[Value], keys: &[&str]) -> bool {
    let keys = if keys.is_empty() { ITSELF } else { keys };
    let mut seen = HashSet::new();
    let mut given: Option<Vec<bool>> = None;
    items.iter().all(|item| {
        let values = key_values(item, keys);
        let gives: Vec<bool> = values.iter().map(|value| !value.is_empty()).collect();
        let uniform = *given.get_or_insert_with(|| gives.clone()) == gives && gives.contains(&true);
        uniform && !item.is_null() && seen.insert(values)
    })
}

fn key_values(item: &Value, keys: &[&str]) -> Values {
    let value = |key: &&str| match (key.is_empty(), item.get(key)) {
        (true, _) => scalar_text(item).into_owned(),
        (false, Some(value)) if !value.is_null() => scalar_text(value).into_owned(),
        _ => String::new(),
    };
    keys.iter().map(value).collect()
}

/// Takes an element `$patch: ...` out of a list.
pub(super) fn take_directive(patch: &mut Vec<Value>) -> Result<Directive, MergeError> {
    let Some(element) = patch.iter().find(|item| item.get(Directive::KEY).is_some()) else {
        return Ok(Directive::Merge);
    };
    let alone = element.as_object().is_some_and(|members| members.len() == 1);
    let Some(value) = element.get(Directive::KEY).filter(|_| alone) else { return Ok(Directive::Merge) };
    let directive = Directive::parse(value)?;
    let text = scalar_text(value).into_owned();
    patch.retain(|item| {
        let directs = item.get(Directive::KEY).is_some_and(|value| scalar_text(value) == text);
        !directs && !item.is_null() && !is_empty_map(item)
    });
    Ok(directive)
}

impl Walker<'_> {
    /// Merges a keyed list with the patch's; a list that the patch adds (`None`) is merged with itself.
    pub(super) fn keyed(
        &self,
        mut target: Vec<Value>,
        mut patch: Option<&mut Vec<Value>>,
        keys: &'static [&'static str],
        fields: &'static Fields,
    ) -> Result<Merged, MergeError> {
        let keys = if keys.is_empty() { ITSELF } else { keys };
        let mut wanted = self.wanted(patch.as_deref().map_or(&[], Vec::as_slice), &target, keys)?;
        if keys.len() > 1 {
            self.complete(&mut wanted)?;
        }
        let keys = given_keys(&wanted, keys);
        let mut merged = Vec::with_capacity(wanted.len());
        for values in wanted.iter().map(|values| restrict(values, &keys)) {
            let element = self.element(&mut target, patch.as_deref_mut(), &values, fields)?;
            if let Some(element) = element {
                self.set(&mut merged, &values, Some(&element))?;
            }
        }
        if wanted.is_empty() {
            return Ok(Merged { value: Some(Value::array(target)), kept: true });
        }
        let names: Vec<&str> = keys.iter().map(|(_, key)| *key).collect();
        for own in &target {
            self.append(&mut merged, own, &names)?;
        }
        Ok(Merged { value: Some(Value::array(merged)), kept: false })
    }

    /// The distinct key values of both lists, the patch's first.
    fn wanted(&self, patch: &[Value], target: &[Value], keys: &[&str]) -> Result<Vec<Values>, MergeError> {
        let mut seen = HashSet::new();
        let mut wanted = Vec::new();
        for item in patch.iter().chain(target) {
            spend(self.steps, 1)?;
            let values = key_values(item, keys);
            if seen.insert(values.clone()) {
                wanted.push(values);
            }
        }
        Ok(wanted)
    }

    /// Fills in keys that one element leaves out and another, otherwise equal one gives: port 80 is port 80/TCP.
    fn complete(&self, wanted: &mut [Values]) -> Result<(), MergeError> {
        for i in 0..wanted.len() {
            let Some(one) = wanted.get(i).cloned() else { continue };
            for j in 0..wanted.len() {
                spend(self.steps, 1)?;
                let Some(both) = wanted.get(j).and_then(|other| unify(&one, other)) else { continue };
                for at in [i, j] {
                    if let Some(slot) = wanted.get_mut(at) {
                        slot.clone_from(&both);
                    }
                }
            }
        }
        Ok(())
    }

    /// Merges the elements that have these key values; `None` where nothing is left, which removes the target's.
    fn element(
        &self,
        target: &mut Vec<Value>,
        patch: Option<&mut Vec<Value>>,
        values: &[(&str, &str)],
        fields: &'static Fields,
    ) -> Result<Option<Value>, MergeError> {
        let shape = Shape::Object(fields);
        let own = self.find(target, values)?;
        let slot = own.and_then(|at| target.get_mut(at));
        let (outcome, slot) = match (patch, slot) {
            (None, None) => return self.set(target, values, None).map(|()| None),
            (None, Some(slot)) => (self.settle(slot, shape)?, Some(slot)),
            (Some(patch), slot) => {
                let change = self.find(patch, values)?.and_then(|at| patch.get_mut(at));
                let outcome = self.walk(slot.as_deref().cloned(), change, shape)?;
                let slot = slot.filter(|_| outcome.kept);
                (outcome, slot)
            }
        };
        let Some(mut value) = outcome.value.filter(|value| !value.is_null()) else {
            return self.set(target, values, None).map(|()| None);
        };
        let empty = is_empty_map(&value);
        if !empty {
            complete_keys(&mut value, values);
        }
        if let Some(slot) = slot {
            slot.clone_from(&value);
        }
        if empty { self.set(target, values, None).map(|()| None) } else { Ok(Some(value)) }
    }

    /// The first element that has these key values, as far as they are given.
    fn find(&self, items: &[Value], values: &[(&str, &str)]) -> Result<Option<usize>, MergeError> {
        let none_given = values.iter().all(|(_, value)| value.is_empty());
        for (at, item) in items.iter().enumerate() {
            spend(self.steps, 1)?;
            let mut asked = values.iter().filter(|(_, value)| none_given || !value.is_empty());
            let found = asked.all(|(key, value)| match item {
                Value::Object(members) if !key.is_empty() => {
                    members.get(key).is_some_and(|field| scalar_text(field) == *value)
                }
                _ => key.is_empty() && scalar_text(item) == *value,
            });
            if found {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// Puts one of the resource's own elements behind the others, or in the place of its merged copy.
    fn append(&self, merged: &mut Vec<Value>, own: &Value, keys: &[&str]) -> Result<(), MergeError> {
        let mut values = Vec::with_capacity(keys.len());
        for key in keys {
            match own {
                _ if key.is_empty() => values.push((*key, scalar_text(own))),
                Value::Object(_) | Value::Null => match own.get(key) {
                    Some(value) => values.push((*key, scalar_text(value))),
                    None => merged.push(own.clone()),
                },
                _ => return Err(MergeError::Kind { expected: "object", found: "scalar" }),
            }
        }
        // Upstream pairs the values that are there with the first keys, whichever key is missing.
        let paired: Vec<(&str, &str)> = keys.iter().zip(&values).map(|(key, (_, value))| (*key, &**value)).collect();
        if keys.len() > 1 {
            self.set(merged, &paired, None)?;
        }
        self.set(merged, &paired, Some(own))
    }

    /// Replaces every element that has these key values, or adds the element; removes them where there is none.
    ///
    /// Null and empty elements go, and where no value is given at all, so do all others.
    fn set(&self, items: &mut Vec<Value>, values: &[(&str, &str)], element: Option<&Value>) -> Result<(), MergeError> {
        let keyed = values.first().is_some_and(|(key, value)| !key.is_empty() && !value.is_empty());
        let mut found = false;
        let mut kept = Vec::with_capacity(items.len() + 1);
        for item in std::mem::take(items) {
            spend(self.steps, 1)?;
            if item.is_null() || is_empty_map(&item) || values.is_empty() {
                continue;
            }
            if (keyed && item.as_object().is_none()) || !has_all(&item, values)? {
                kept.push(item);
                continue;
            }
            found = true;
            kept.extend(element.cloned());
        }
        if !found {
            kept.extend(element.filter(|element| !element.is_null()).cloned());
        }
        *items = kept;
        Ok(())
    }
}

/// Whether an element has these key values; an empty one asks only for the key.
fn has_all(item: &Value, values: &[(&str, &str)]) -> Result<bool, MergeError> {
    for (key, value) in values {
        let matches = match item {
            Value::Object(members) if !key.is_empty() => {
                members.get(key).is_some_and(|field| value.is_empty() || scalar_text(field) == *value)
            }
            Value::Object(_) | Value::Array(_) => {
                return Err(MergeError::Kind { expected: "scalar", found: item.type_name() });
            }
            _ if !key.is_empty() => return Err(MergeError::Kind { expected: "object", found: "scalar" }),
            _ => scalar_text(item) == *value,
        };
        if !matches {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Both value lists as one, where they share a value and differ only in what one leaves out.
fn unify(one: &Values, other: &Values) -> Option<Values> {
    let mut shared = false;
    let mut both = Vec::with_capacity(one.len());
    for (a, b) in one.iter().zip(other) {
        shared |= a == b;
        match (a.is_empty(), b.is_empty()) {
            (false, false) if a != b => return None,
            (true, _) => both.push(b.clone()),
            _ => both.push(a.clone()),
        }
    }
    shared.then_some(both)
}

/// The keys that any element gives, with their positions; all of them where none gives any.
fn given_keys(wanted: &[Values], keys: &[&'static str]) -> Vec<(usize, &'static str)> {
    let given = |at: usize| wanted.iter().any(|values| values.get(at).is_some_and(|value| !value.is_empty()));
    let all = || keys.iter().copied().enumerate();
    let chosen: Vec<_> = all().filter(|(at, _)| given(*at)).collect();
    if chosen.is_empty() { all().collect() } else { chosen }
}

fn restrict<'a>(values: &'a Values, keys: &[(usize, &'static str)]) -> Vec<(&'static str, &'a str)> {
    keys.iter().map(|(at, key)| (*key, values.get(*at).map_or("", String::as_str))).collect()
}

/// Writes the keys into a merged element that came without them.
fn complete_keys(value: &mut Value, values: &[(&str, &str)]) {
    let Some(members) = value.as_object_mut() else { return };
    for (key, text) in values.iter().filter(|(key, text)| !key.is_empty() && !text.is_empty()) {
        if !members.contains_key(key) {
            members.insert(*key, text.parse::<i64>().map_or_else(|_| Value::from(*text), Value::Int));
        }
    }
}
