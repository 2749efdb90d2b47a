//! Shared text for keys: a file repeats `name`, `spec` and `metadata` thousands of times.
//!
//! A small direct-mapped cache, replaced on collision, so that hostile keys cost no more than an allocation each.

use palisade_model::Str;

const SLOTS: usize = 256;

/// The cache; empty until the first key.
#[derive(Default)]
pub(crate) struct Names(Vec<Option<Str>>);

impl Names {
    /// `text` as shared text.
    pub(crate) fn name(&mut self, text: &str) -> Str {
        if text.len() > 32 {
            return Str::from(text);
        }
        if self.0.is_empty() {
            self.0.resize(SLOTS, None);
        }
        let hash = text.bytes().fold(0_usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte)));
        let Some(slot) = self.0.get_mut(hash % SLOTS) else { return Str::from(text) };
        match slot {
            Some(known) if **known == *text => known.clone(),
            _ => slot.insert(Str::from(text)).clone(),
        }
    }
}
