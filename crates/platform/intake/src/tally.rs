//! What became of the files that a command looked at: read as documents, text, left alone.
//!
//! A check must not claim more than it looked at, so that what it did not judge is counted and told. Deliberately absent:
//! the words.

use std::collections::BTreeMap;

/// What files without an extension count as.
const NO_EXTENSION: &str = "no extension";

/// Files by what became of them. A file that could be read in part counts as documents and as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Files that were read as documents, by kind.
    pub documents: BTreeMap<&'static str, usize>,
    /// Files of text, by kind.
    pub text: BTreeMap<&'static str, usize>,
    /// Files of no known kind, by extension (`.png`).
    pub left_alone: BTreeMap<String, usize>,
    /// Documents that are patches of kustomizations: parts of objects, which rules about whole ones would misjudge.
    pub patches: usize,
}

impl Tally {
    /// Counts a file of no known kind.
    pub fn leave_alone(&mut self, name: &str) {
        let file = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let extension = file.rsplit_once('.').filter(|(stem, _)| !stem.is_empty());
        let extension =
            extension.map_or(NO_EXTENSION.to_owned(), |(_, extension)| format!(".{}", extension.to_lowercase()));
        *self.left_alone.entry(extension).or_default() += 1;
    }

    /// Adds what was counted elsewhere.
    pub fn absorb(&mut self, other: Self) {
        add(&mut self.documents, other.documents);
        add(&mut self.text, other.text);
        add(&mut self.left_alone, other.left_alone);
        self.patches += other.patches;
    }
}

fn add<K: Ord>(into: &mut BTreeMap<K, usize>, from: BTreeMap<K, usize>) {
    for (key, number) in from {
        *into.entry(key).or_default() += number;
    }
}

/// How many files there are of all kinds.
pub fn total<K>(files: &BTreeMap<K, usize>) -> usize {
    files.values().sum()
}
