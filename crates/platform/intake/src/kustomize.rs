//! Which files are patches of kustomizations: parts of objects, which nobody may take for whole ones.
//!
//! A kustomization names its patches; those of the inputs are read, and those that lie beside an input or above it up to the folder
//! that has no kustomization. Deliberately absent: building kustomizations, and patches that are written into one.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use palisade_model::Value;

use crate::input::{Input, read};

/// What a kustomization may be called.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The files that kustomizations name as patches, and those that they name as whole objects.
#[derive(Debug, Default)]
pub struct Patches {
    patches: BTreeSet<PathBuf>,
    resources: BTreeSet<PathBuf>,
}

impl Patches {
    /// Reads the kustomizations of the inputs' folders.
    pub fn of(inputs: &[Input]) -> Self {
        let mut folders = BTreeSet::new();
        for path in inputs.iter().filter_map(Input::path) {
            for folder in path.ancestors().skip(1) {
                let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
                // Patches may lie in folders below their kustomization, which have none of their own.
                if !folders.insert(folder.to_owned()) || NAMES.iter().any(|name| folder.join(name).is_file()) {
                    break;
                }
            }
        }
        let kustomizations = folders.iter().flat_map(|folder| NAMES.map(|name| folder.join(name)));
        let mut patches = Self::default();
        kustomizations.filter(|path| path.is_file()).for_each(|path| patches.add(&path));
        patches
    }

    /// Whether a file is such a patch, and nothing but a patch: what is a resource elsewhere is applied as a whole, too.
    pub fn has(&self, input: &Input) -> bool {
        let path = input.path().map(plain);
        path.is_some_and(|path| self.patches.contains(&path) && !self.resources.contains(&path))
    }

    fn add(&mut self, kustomization: &Path) {
        let folder = kustomization.parent().unwrap_or(Path::new("."));
        for document in read(kustomization).documents {
            for key in ["patches", "patchesStrategicMerge", "patchesJson6902"] {
                let items = document.value.get(key).and_then(Value::as_array).unwrap_or_default();
                let paths = items.iter().filter_map(|item| item.get("path").unwrap_or(item).as_str());
                // A patch may also be written where a path is expected; it has more than one line then.
                self.patches.extend(paths.filter(|path| !path.contains('\n')).map(|path| plain(&folder.join(path))));
            }
            let resources = document.value.get("resources").and_then(Value::as_array).unwrap_or_default();
            self.resources.extend(resources.iter().filter_map(Value::as_str).map(|path| plain(&folder.join(path))));
        }
    }
}

/// A path without `.` and with `..` applied.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(plain.components().next_back(), Some(Component::Normal(_))) => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// Whether a document directs how it is merged (`$patch`, `$setElementOrder/...`), which only a patch does.
pub fn has_directive(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_directive),
        Value::Object(members) => members.iter().any(|(key, value)| {
            &**key == "$patch"
                || &**key == "$retainKeys"
                || key.starts_with("$setElementOrder/")
                || key.starts_with("$deleteFromPrimitiveList/")
                || has_directive(value)
        }),
        _ => false,
    }
}
