//! Exclusions: which offending fields a rule or an exception lets pass.
//!
//! Kyverno judges the part of the pod that an exclusion names by itself, and takes each offending field that it finds
//! there off the list of the whole pod. An exclusion without images names the pod's own fields, one with images the
//! containers that run them.

use palisade_model::wildcard;

use super::forbidden::Field;
use super::pod::Pod;
use super::{Exclusion, Found};

/// Takes what the exclusion lets pass off `found`; `judge` judges a part of the pod.
pub(super) fn apply<'a>(
    exclusion: &Exclusion,
    pod: &Pod<'a>,
    found: &mut Vec<Found<'a>>,
    judge: impl Fn(&Pod<'a>) -> Vec<Found<'a>>,
) {
    let by_container = !exclusion.images.is_empty();
    let part = if by_container { pod.containers_of(exclusion) } else { pod.without_containers() };
    for excluded in judge(&part) {
        if excluded.entry.control != &*exclusion.control {
            continue;
        }
        let same_check = |found: &Found<'_>| found.entry.id == excluded.entry.id;
        for field in excluded.forbidden.fields.iter().filter(|field| covers(exclusion, field)) {
            let Some(at) = found.iter().position(same_check) else { break };
            let Some(whole) = found.get_mut(at) else { break };
            let fields = &mut whole.forbidden.fields;
            if let Some(index) = fields.iter().position(|other| same_place(field, other, by_container)) {
                // As Kyverno removes it: the order decides which of several fields the next exclusion meets first.
                fields.swap_remove(index);
            }
            if fields.is_empty() {
                found.remove(at);
            }
        }
    }
}

/// Whether the exclusion means this field and all of its values.
fn covers(exclusion: &Exclusion, field: &Field<'_>) -> bool {
    let restricted_field = &*exclusion.restricted_field;
    (restricted_field.is_empty() || restricted_field == field.general())
        && (exclusion.values.is_empty()
            || field.bad.words().iter().all(|word| {
                exclusion.values.iter().any(|pattern| wildcard::matches(pattern, word))
            }))
}

/// Whether two fields are the same but for indices and, where containers count, of the same container.
fn same_place(field: &Field<'_>, other: &Field<'_>, by_container: bool) -> bool {
    let name = |field: &Field<'_>| field.container.map_or("", |(name, _)| name).to_owned();
    field.general() == other.general() && (!by_container || other.container.is_none() || name(field) == name(other))
}
