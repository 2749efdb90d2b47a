//! Programs of policy languages that are text (Rego): which files hold them, and the data they are given.
//!
//! Data comes from `--data`, and from files called `data.json` or `data.yaml` beside the programs, at the path of
//! their folder, as in a bundle of Open Policy Agent. Files of tests (`_test.rego`) do not judge and are left out.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use palisade_document::Limits;
use palisade_intake::folders;
use palisade_model::{Diagnostic, Map, Source, Value};
use palisade_policy::Programs;
use palisade_rego::bundle::{self, Key, Verification};

/// How programs are read.
#[derive(Clone, Debug, Default)]
pub struct ProgramOptions {
    /// Data: JSON and YAML files, or folders of them.
    pub data: Vec<PathBuf>,
    /// Only packages with these names judge; all where empty.
    pub namespaces: Vec<String>,
    /// How signed bundles are verified.
    pub verification: VerificationOptions,
}

/// How signed bundles are verified, in the words of `opa`.
#[derive(Clone, Debug, Default)]
pub struct VerificationOptions {
    /// The file of the key: PEM, JSON Web Key, or the secret of an HMAC. Bundles are not signed where there is none.
    pub key: Option<PathBuf>,
    /// The name of the key, where the signature does not name it.
    pub key_id: String,
    /// The algorithm of the signature.
    pub algorithm: String,
    /// The scope that must be signed for.
    pub scope: String,
    /// Whether signatures are ignored.
    pub skip: bool,
}

impl VerificationOptions {
    fn verification(&self) -> Result<Verification, Diagnostic> {
        match &self.key {
            _ if self.skip => Ok(Verification::Skip),
            None => Ok(Verification::Unsigned),
            Some(file) => {
                let material = palisade_intake::read_text(file, MAX_KEY)?.text().to_string();
                let key = Key { material, algorithm: self.algorithm.clone() };
                Ok(Verification::Signed {
                    keys: BTreeMap::from([(self.key_id.clone(), key)]),
                    key: Some(self.key_id.clone()),
                    scope: self.scope.clone(),
                })
            }
        }
    }
}

/// The largest file that is taken for a key.
const MAX_KEY: usize = 1 << 20;

/// Whether a path is a bundle of Open Policy Agent: an archive, or a folder with a manifest.
pub fn is_bundle(path: &Path) -> bool {
    is_archive(path) || path.join(".manifest").is_file()
}

fn is_archive(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    [".tar.gz", ".tgz"].iter().any(|ending| name.ends_with(ending)) && path.is_file()
}

/// Which files of programs are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// Those that judge.
    Policies,
    /// Tests too.
    WithTests,
}

/// Reads the programs with one of `extensions` below `paths`, and their data.
pub fn programs(
    paths: &[PathBuf],
    options: &ProgramOptions,
    extensions: &[&str],
    files: Files,
) -> (Programs, Vec<Diagnostic>) {
    let wanted =
        folders::Options { extensions: extensions.iter().map(|end| (*end).to_owned()).collect(), hidden: false };
    let named = |path: &PathBuf| path.extension().is_some_and(|end| extensions.iter().any(|wanted| end == *wanted));
    let is_test = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("_test"));
    let (bundles, paths): (Vec<_>, Vec<_>) = paths.iter().cloned().partition(|path| is_bundle(path));
    let existing: Vec<_> = paths.iter().filter(|path| path.is_dir() || named(path)).cloned().collect();
    let found = folders::files(&existing, &wanted);
    let mut read = Reading { diagnostics: found.diagnostics, ..Reading::default() };
    for path in found.files.iter().filter(|path| files == Files::WithTests || !is_test(path) || paths.contains(path)) {
        read.module(path);
    }
    if !read.modules.is_empty() {
        for root in existing.iter().filter(|path| path.is_dir()) {
            read.folder(root, |path| path.file_stem().is_some_and(|stem| stem == "data"));
        }
    }
    read.bundles(&bundles, &options.verification);
    for root in &options.data {
        if root.is_dir() { read.folder(root, |_| true) } else { read.data_file(root, &[]) }
    }
    let programs =
        Programs { modules: read.modules, data: Value::object(read.data), namespaces: options.namespaces.clone() };
    (programs, read.diagnostics)
}

#[derive(Default)]
struct Reading {
    modules: Vec<Arc<Source>>,
    data: Map,
    diagnostics: Vec<Diagnostic>,
}

impl Reading {
    fn module(&mut self, path: &Path) {
        match palisade_intake::read_text(path, Limits::default().max_bytes) {
            Ok(source) => self.modules.push(source),
            Err(diagnostic) => self.diagnostics.push(diagnostic),
        }
    }

    /// Bundles, verified as asked; one that is not sound is not used.
    fn bundles(&mut self, paths: &[PathBuf], options: &VerificationOptions) {
        if paths.is_empty() {
            return;
        }
        let verification = match options.verification() {
            Ok(verification) => verification,
            Err(diagnostic) => return self.diagnostics.push(diagnostic),
        };
        let options = bundle::Options { verification, ..bundle::Options::default() };
        let mut bundles = Vec::new();
        for path in paths {
            let name = path.display().to_string();
            let (read, diagnostics) = if is_archive(path) {
                match palisade_intake::read_bytes(path, bundle::Limits::default().max_bytes as usize) {
                    Ok(bytes) => bundle::read_archive(&name, &bytes, &options),
                    Err(error) => (None, vec![palisade_intake::unreadable(&name, &error)]),
                }
            } else {
                let (files, problems) = bundle_files(path);
                let (read, diagnostics) = bundle::read_files(&name, files, &options);
                (read.filter(|_| problems.is_empty()), problems.into_iter().chain(diagnostics).collect())
            };
            self.diagnostics.extend(diagnostics);
            bundles.extend(read);
        }
        let (data, diagnostics) = bundle::merge(&bundles);
        self.diagnostics.extend(diagnostics);
        self.modules.extend(bundles.iter().flat_map(|bundle| &bundle.modules).map(|module| Arc::clone(&module.source)));
        if let Some(Err(key)) = data.to_model().as_object().map(|members| merge(&mut self.data, members)) {
            self.diagnostics.push(conflict(Path::new("bundle"), &key));
        }
    }

    /// The data files below `root`, each at the path of its folder.
    fn folder(&mut self, root: &Path, wanted: impl Fn(&Path) -> bool) {
        let found = folders::files(&[root.to_path_buf()], &folders::Options::default());
        self.diagnostics.extend(found.diagnostics);
        for path in found.files.iter().filter(|path| wanted(path)) {
            let folder = path.parent().and_then(|parent| parent.strip_prefix(root).ok()).unwrap_or(Path::new(""));
            let keys: Vec<_> = folder
                .components()
                .filter_map(|part| match part {
                    Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
                    _ => None,
                })
                .collect();
            self.data_file(path, &keys);
        }
    }

    /// Puts the documents of a file at `keys`.
    fn data_file(&mut self, path: &Path, keys: &[String]) {
        let parsed = palisade_intake::read(path);
        self.diagnostics.extend(parsed.diagnostics);
        for document in parsed.documents {
            let nested = keys.iter().rev().fold(document.value, |value, key| {
                let mut map = Map::new();
                map.insert(key.as_str(), value);
                Value::object(map)
            });
            let Some(members) = nested.as_object() else {
                self.diagnostics.push(not_an_object(path));
                continue;
            };
            if let Err(key) = merge(&mut self.data, members) {
                self.diagnostics.push(conflict(path, &key));
            }
        }
    }
}

/// Every file of a bundle that is a folder, its hidden ones too, by the path from its top.
fn bundle_files(root: &Path) -> (Vec<bundle::File>, Vec<Diagnostic>) {
    let any = ["rego", "json", "yaml", "yml", "manifest"].map(str::to_owned);
    let found = folders::files(&[root.to_path_buf()], &folders::Options { extensions: any.to_vec(), hidden: true });
    let mut files = Vec::new();
    let mut diagnostics = found.diagnostics;
    let hidden = [root.join(".manifest")];
    for path in found.files.iter().chain(hidden.iter().filter(|path| !found.files.contains(path))) {
        let name = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
        match palisade_intake::read_bytes(path, Limits::default().max_bytes) {
            Ok(bytes) => files.push(bundle::File { path: name, bytes }),
            Err(error) => diagnostics.push(palisade_intake::unreadable(&path.display().to_string(), &error)),
        }
    }
    (files, diagnostics)
}

/// Adds members to an object, objects into objects; the path of the first member that both define is the error.
fn merge(into: &mut Map, members: &Map) -> Result<(), String> {
    for (key, value) in members.iter() {
        let Some(present) = into.get_mut(key) else {
            into.insert(key.clone(), value.clone());
            continue;
        };
        let (Some(present), Some(members)) = (present.as_object_mut(), value.as_object()) else {
            return Err(key.to_string());
        };
        merge(present, members).map_err(|inner| format!("{key}.{inner}"))?;
    }
    Ok(())
}

fn not_an_object(path: &Path) -> Diagnostic {
    Diagnostic::error("PAL-P0003", format!("data file `{}` holds no object", path.display()))
        .help("put the data under a name, such as `allowed: [..]`")
}

fn conflict(path: &Path, key: &str) -> Diagnostic {
    Diagnostic::error("PAL-P0003", format!("data file `{}` defines `data.{key}` a second time", path.display()))
        .help("remove one of the definitions, or give the files different folders below `--data`")
}

#[cfg(test)]
mod tests {
    use palisade_model::json;

    use super::*;

    #[test]
    fn objects_are_merged_and_conflicts_named() {
        let mut into = json!({"a": {"b": 1}}).as_object().cloned().unwrap();
        merge(&mut into, json!({"a": {"c": 2}, "d": 3}).as_object().unwrap()).unwrap();
        assert_eq!(Value::object(into.clone()), json!({"a": {"b": 1, "c": 2}, "d": 3}));
        assert_eq!(merge(&mut into, json!({"a": {"b": 2}}).as_object().unwrap()), Err("a.b".into()));
    }
}
