//! Existing objects that rules change: `mutate.targets`, and the targets of MutatingPolicy.

use palisade_model::Value;

use super::difference::difference;
use super::origin::key_of;
use super::writing::hold_on_to;
use crate::{Caches, KubeError};

/// Changes an object to what a rule made of it, provided that it is still as the rule saw it. Returns whether it was to be
/// changed.
pub(super) async fn patch(caches: &Caches, before: &Value, after: &Value) -> Result<bool, KubeError> {
    let Some(mut patch) = difference(before, after) else { return Ok(false) };
    let Some(key) = key_of(before) else { return Ok(false) };
    let discovery = caches.discovery();
    let kind = discovery.get(&key.gvk).ok_or_else(|| KubeError::UnknownKind(key.gvk.to_string()))?;
    hold_on_to(&mut patch, before);
    caches.connection().merge(&kind.path(&key.namespace, &key.name), &patch).await?;
    Ok(true)
}
