//! Loading the context entries that a query mentions, before it is evaluated.
//!
//! Kyverno looks for an entry's name in the text of the query, wherever it stands, and so do we: an entry that cannot
//! be loaded is an error even where the expression would not have needed it.

use palisade_jmespath::QueryError;
use palisade_model::Value;

use super::{Deferred, RuleContext, entry};
use crate::legacy::spec::ContextEntry;

/// How many entries may wait for one another.
const MAX_LOADING: usize = 64;

impl<'a> RuleContext<'a> {
    /// Loads the entries that `text` mentions, those that were declared first first.
    pub(super) fn load_mentioned(&self, text: &str) -> Result<(), QueryError> {
        while let Some((entry, frame, position)) = self.next_mentioned(text) {
            if self.loading.get() >= MAX_LOADING {
                return Err(QueryError::Lookup(format!(
                    "more than {MAX_LOADING} context entries wait for one another"
                )));
            }
            let visible = self.visible.replace(position);
            self.loading.set(self.loading.get() + 1);
            let value = entry::load(self, entry);
            self.loading.set(self.loading.get() - 1);
            self.visible.set(visible);
            self.keep(entry, frame, value?);
        }
        Ok(())
    }

    /// The first entry that `text` mentions and that was not tried yet; it counts as tried from now on.
    fn next_mentioned(&self, text: &str) -> Option<(&'a ContextEntry, usize, usize)> {
        let mut position = 0;
        for (index, frame) in self.frames.borrow_mut().iter_mut().enumerate() {
            for deferred in &mut frame.entries {
                if position >= self.visible.get() {
                    return None;
                }
                if !deferred.attempted && mentions(text, &deferred.entry.name) {
                    deferred.attempted = true;
                    return Some((deferred.entry, index, position));
                }
                position += 1;
            }
        }
        None
    }

    fn keep(&self, entry: &'a ContextEntry, frame: usize, value: Option<Value>) {
        let mut frames = self.frames.borrow_mut();
        let Some(frame) = frames.get_mut(frame) else { return };
        let same = |deferred: &&mut Deferred<'a>| std::ptr::eq(deferred.entry, entry);
        if let Some(deferred) = frame.entries.iter_mut().find(same) {
            deferred.loaded = true;
        }
        if let Some(value) = value {
            match frame.bindings.iter_mut().find(|(name, _)| *name == entry.name) {
                Some((_, slot)) => *slot = value,
                None => frame.bindings.push((entry.name.clone(), value)),
            }
        }
    }
}

/// Whether a query's text has `name` as a word that does not follow a dot: `x` is in `x.y` but not in `y.x`.
pub(super) fn mentions(text: &str, name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty()
        && text.match_indices(name).any(|(at, _)| {
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            let after = text.get(at + name.len()..).and_then(|text| text.chars().next());
            let last = name.chars().next_back();
            let bounded = after.is_some_and(word) != last.is_some_and(word);
            bounded && before.is_none_or(|c| c != '.' && !c.is_ascii_alphanumeric())
        })
}
