//! The public corpora of Kyverno's and Gatekeeper's policies, read in place: groups of documents that belong together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use palisade_model::Resource;

use crate::material::{LANGUAGES, documents};

/// The documents of one folder of policies.
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) documents: Vec<Resource>,
}

impl Group {
    /// The objects that policies may be asked about.
    pub(crate) fn objects(&self) -> impl Iterator<Item = &Resource> {
        self.documents
            .iter()
            .filter(|document| document.gvk().is_some() && !LANGUAGES.iter().any(|language| language.claims(document)))
    }
}

/// Folders of the corpora, with how many levels down one policy has its own.
const SUITES: [(&str, usize); 2] = [("kyverno-policies", 2), ("gatekeeper-library", 3)];

/// All groups; `None` where the corpora are not here, which is said.
pub(crate) fn groups() -> Option<Vec<Group>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let folder = std::env::var_os("PALISADE_CORPORA").map_or_else(|| root.join("../shared/corpora"), PathBuf::from);
    let mut groups: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for (suite, levels) in SUITES {
        let suite = folder.join(suite);
        for file in files(&suite) {
            let within = file.strip_prefix(&folder).unwrap_or(&file);
            let name: PathBuf = within.components().take(levels + 1).collect();
            groups.entry(name.display().to_string()).or_default().push(file);
        }
    }
    if groups.is_empty() {
        println!("skipped: no corpora in {}; set PALISADE_CORPORA to their folder", folder.display());
        return None;
    }
    Some(groups.into_iter().map(|(name, files)| read(name, &files)).collect())
}

fn read(name: String, files: &[PathBuf]) -> Group {
    let of = |file: &PathBuf| documents(&file.display().to_string(), &std::fs::read(file).unwrap_or_default());
    Group { name, documents: files.iter().flat_map(of).collect() }
}

/// The YAML files below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut ahead = vec![folder.to_path_buf()];
    while let Some(folder) = ahead.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                ahead.push(path);
            } else if path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
