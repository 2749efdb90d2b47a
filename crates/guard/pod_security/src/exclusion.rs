//! Exclusions: which offending fields a rule or an exception lets pass.
//!
//! Kyverno judges the part of the pod that an exclusion names by itself, and takes each offending field that it finds
//! there off the list of the whole pod. An exclusion without images names the pod's own fields, one with images the
//! containers that run them.

use palisade_model::wildcard;

use super::forbidden::Field;
use super::pod::Pod;
use super::{Exclusion, Found};

/// How many fields may be compared for one object: more than any real pod needs, and a fraction of a second.
pub(super) const MAX_COMPARISONS: usize = 5_000_000;

/// Takes what the exclusion lets pass off `found`; `judge` judges a part of the pod.
pub(super) fn apply<'a>(
    exclusion: &Exclusion,
    pod: &Pod<'a>,
    found: &mut Vec<Found<'a>>,
    comparisons: &mut usize,
    judge: impl Fn(&Pod<'a>) -> Vec<Found<'a>>,
) -> Result<(), String> {
    let by_container = !exclusion.images.is_empty();
    let part = if by_container { pod.containers_of(exclusion) } else { pod.without_containers() };
    for excluded in judge(&part).into_iter().filter(|excluded| excluded.entry.control == &*exclusion.control) {
        let Some(at) = found.iter().position(|found| found.entry.id == excluded.entry.id) else { continue };
        let Some(whole) = found.get_mut(at) else { continue };
        let fields = &mut whole.forbidden.fields;
        for field in excluded.forbidden.fields.iter().filter(|field| covers(exclusion, field)) {
            let place = fields.iter().position(|other| same_place(field, other, by_container));
            let compared = place.map_or(fields.len(), |place| place + 1);
            *comparisons = comparisons
                .checked_sub(compared)
                .ok_or("the pod has too many offending fields to compare them with the exclusions; fix some first")?;
            if let Some(place) = place {
                // As Kyverno removes it: the order decides which of several fields the next exclusion meets first.
                fields.swap_remove(place);
            }
        }
        if fields.is_empty() {
            found.remove(at);
        }
    }
    Ok(())
}

/// Whether the exclusion means this field and all of its values.
fn covers(exclusion: &Exclusion, field: &Field<'_>) -> bool {
    let matches = |word: &String| exclusion.values.iter().any(|pattern| wildcard::matches(pattern, word));
    (exclusion.restricted_field.is_empty() || *exclusion.restricted_field == field.general)
        && (exclusion.values.is_empty() || field.bad.words().iter().all(matches))
}

/// Whether two fields are the same but for indices and, where containers count, of the same container.
fn same_place(field: &Field<'_>, other: &Field<'_>, by_container: bool) -> bool {
    let names = (field.container.map(|(name, _)| name), other.container.map(|(name, _)| name));
    let same_container = match names {
        (_, None) => true,
        (name, Some(other)) => name.unwrap_or_default() == other,
    };
    field.general == other.general && (!by_container || same_container)
}
