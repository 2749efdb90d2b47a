//! Merging lists by element: containers by name, ports by number and protocol, finalizers by text, and in any list the
//! elements that anchors have selected.
//!
//! The resource's own elements stay where they are, whatever their keys; what the patch names among them is merged in
//! place, what it adds comes in front as upstream puts it. Upstream makes one element of several with equal keys, drops
//! elements without a key and moves those that it merges: here it is left, because it takes away what no rule named
//! (docs/decisions/0008-a-rewrite-takes-nothing-away.md).

use palisade_model::Value;

use super::anchors::{self, Placed};
use super::merge::{Directive, MergeError, Walker};
use super::schema::Shape;
use super::{is_empty_map, scalar_text, spend};

/// The transport of a port that does not say it.
pub(super) const DEFAULT_PROTOCOL: (&str, &str) = ("protocol", "TCP");

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

/// The resource's own elements while patches are laid over them.
struct Own {
    /// `None` where the patch has deleted one.
    elements: Vec<Option<Value>>,
    /// Whether an element of the patch was merged into it.
    taken: Vec<bool>,
}

impl Walker<'_> {
    /// Merges the elements of a patch into a list, one after the other. Without keys, elements are equal or they are not.
    pub(super) fn elements(
        &self,
        own: Vec<Value>,
        patch: &mut [Value],
        keys: &[&str],
        shape: Shape,
    ) -> Result<Value, MergeError> {
        let mut own = Own { taken: vec![false; own.len()], elements: own.into_iter().map(Some).collect() };
        let mut added = Vec::new();
        for change in patch {
            spend(self.steps, 1 + own.elements.len() as u64)?;
            let place = match anchors::take_place(change) {
                Some(Placed::Nowhere) => continue,
                Some(Placed::At(index)) => Some(index),
                None if change.is_null() || is_empty_map(change) => continue,
                None if keys.is_empty() => {
                    if !own.elements.iter().flatten().chain(&added).any(|element| same(element, change)) {
                        added.extend(self.settle(change, shape)?);
                    }
                    continue;
                }
                None if deletes(change) => {
                    own.delete(change, keys)?;
                    continue;
                }
                None => own.find(change, keys)?,
            };
            match place.and_then(|at| Some((own.elements.get_mut(at)?, own.taken.get_mut(at)?))) {
                Some((element, taken)) => {
                    *taken = true;
                    *element = self.walk(element.take(), change, shape)?.filter(|value| !is_empty_map(value));
                }
                None => added.extend(self.settle(change, shape)?.filter(|value| !is_empty_map(value))),
            }
        }
        added.extend(own.elements.into_iter().flatten());
        Ok(Value::array(added))
    }
}

impl Own {
    /// The element that an element of the patch is about: one with its name where several have its keys, and one that no
    /// other element of the patch has renamed.
    fn find(&self, change: &Value, keys: &[&str]) -> Result<Option<usize>, MergeError> {
        let mut best = None;
        for (at, element) in self.elements.iter().enumerate() {
            let Some(element) = element else { continue };
            let Some(exact) = affinity(element, change, keys)? else { continue };
            let name = change.get("name").filter(|name| !name.is_null());
            let same_name = name.is_some() && element.get("name") == name;
            let other_name = name.is_some() && element.get("name").is_some() && !same_name;
            if other_name && self.taken.get(at) == Some(&true) {
                continue;
            }
            let rank = (same_name, exact);
            if best.is_none_or(|(_, known)| rank > known) {
                best = Some((at, rank));
            }
        }
        Ok(best.map(|(at, _)| at))
    }

    /// Deletes every element that has the keys which the patch gives.
    fn delete(&mut self, change: &Value, keys: &[&str]) -> Result<(), MergeError> {
        for element in &mut self.elements {
            let matches = match element {
                Some(element) => affinity(element, change, keys)?.is_some(),
                None => false,
            };
            if matches {
                *element = None;
            }
        }
        Ok(())
    }
}

/// Whether an element has the keys of a change, as far as both give them, and whether it has them all.
fn affinity(element: &Value, change: &Value, keys: &[&str]) -> Result<Option<bool>, MergeError> {
    if change.as_object().is_none() {
        return Err(MergeError::Kind { expected: "object", found: change.type_name() });
    }
    let (mut shared, mut given, mut exact) = (false, false, true);
    for key in keys {
        let (own, wanted) = (key_text(element, key), key_text(change, key));
        given |= !wanted.is_empty();
        match (own.is_empty(), wanted.is_empty()) {
            (true, true) => {}
            (false, false) if own != wanted => return Ok(None),
            (false, false) => shared = true,
            _ => exact &= (*key, &*own) == DEFAULT_PROTOCOL || (*key, &*wanted) == DEFAULT_PROTOCOL,
        }
    }
    if !given {
        let keys = keys.join("`, `");
        let message = format!(
            "an element of a list that is merged by `{keys}` does not say it: add it, or select with an anchor"
        );
        return Err(MergeError::Overlay(message));
    }
    Ok(shared.then_some(exact))
}

/// The text of a key; empty where it is not given.
pub(super) fn key_text<'a>(element: &'a Value, key: &str) -> std::borrow::Cow<'a, str> {
    element.get(key).filter(|value| !value.is_null()).map(scalar_text).unwrap_or_default()
}

fn deletes(change: &Value) -> bool {
    change.get(Directive::KEY).is_some_and(|directive| matches!(Directive::parse(directive), Ok(Directive::Delete)))
}

/// Whether two elements of a list without keys are one: `1` is `"1"` in a set of texts.
fn same(one: &Value, other: &Value) -> bool {
    let scalar = |value: &Value| !matches!(value, Value::Array(_) | Value::Object(_));
    one == other || scalar(one) && scalar(other) && scalar_text(one) == scalar_text(other)
}
