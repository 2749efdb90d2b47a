//! Bundles: policies and data as Open Policy Agent ships them, in a folder or a gzip-compressed tar archive
//! (<https://www.openpolicyagent.org/docs/management-bundles>).
//!
//! The caller hands over the files; nothing is read from disk here. A bundle is used as a whole or not at all: what is
//! outside of its roots, cannot be merged, or was changed after signing is an error. Deliberately absent: downloading,
//! compiled policies (`policy.wasm`, which Rego stands beside) and changes to a running store (`patch.json`).

pub mod codes;
mod manifest;
mod signature;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_document::archive::{self, ArchiveError, clean_path};
pub use palisade_document::archive::{File, Limits};
use palisade_document::{decode, parse_json, parse_yaml};
use palisade_model::{Diagnostic, Level, Location, Source, Span, Str};
use palisade_rego_value::Value;

pub use manifest::Manifest;
pub use signature::{Key, Verification};

use self::manifest::within;
use crate::syntax;
use crate::syntax::ast::{Module, Version};

const MANIFEST: &str = ".manifest";
const SIGNATURES: &str = ".signatures.json";
const PATCH: &str = "patch.json";

/// How a bundle is read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The version of files of which the manifest says nothing.
    pub version: Version,
    /// What is asked of the signature.
    pub verification: Verification,
    /// How much is unpacked.
    pub limits: Limits,
}

/// A bundle that was read without errors.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// What the caller calls it.
    pub name: String,
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its policies, in order of their paths.
    pub modules: Vec<Module>,
    /// Its data, an object.
    pub data: Value,
}

/// Reads a bundle from an archive. Without a bundle there is an error among the diagnostics.
pub fn read_archive(name: &str, bytes: &[u8], options: &Options) -> (Option<Bundle>, Vec<Diagnostic>) {
    match archive::files(bytes, &options.limits) {
        Ok(files) => read_files(name, files, options),
        Err(error) => {
            let (code, help) = match &error {
                ArchiveError::Damaged(_) => (codes::ARCHIVE, "build the bundle again with `opa build`"),
                ArchiveError::TooLarge(_) => (codes::LIMIT, "leave out of the bundle what its policies do not read"),
            };
            (None, vec![trouble(&Source::new(name, ""), code, error.to_string(), help)])
        }
    }
}

/// Reads a bundle from its files. Without a bundle there is an error among the diagnostics.
pub fn read_files(name: &str, files: Vec<File>, options: &Options) -> (Option<Bundle>, Vec<Diagnostic>) {
    let mut reader = Reader { name, options, diagnostics: Vec::new() };
    let bundle = reader.read(files);
    let sound = reader.diagnostics.iter().all(|diagnostic| diagnostic.level != Level::Error);
    (bundle.filter(|_| sound), reader.diagnostics)
}

/// Data and complaints of bundles that are used together: no root may lie in that of another.
pub fn merge(bundles: &[Bundle]) -> (Value, Vec<Diagnostic>) {
    let (mut data, mut diagnostics) = (Value::object(Vec::new()), Vec::new());
    for (position, bundle) in bundles.iter().enumerate() {
        let source = Source::new(bundle.name.as_str(), "");
        for other in bundles.iter().take(position) {
            let roots = |bundle: &'_ Bundle| bundle.manifest.roots.clone();
            let clash = roots(bundle)
                .into_iter()
                .find(|root| roots(other).iter().any(|other| within(root, other) || within(other, root)));
            if let Some(root) = clash {
                let message = format!("the root `{root}` is one of the bundle `{}` too", other.name);
                let help = "give each bundle roots of its own in `.manifest`";
                diagnostics.push(trouble(&source, codes::ROOTS, message, help));
            }
        }
        if let Err(path) = merge_into(&mut data, &bundle.data, String::new()) {
            let message = format!("the data at `{path}` has different values in several bundles");
            diagnostics.push(trouble(&source, codes::DATA, message, "keep each path in one bundle"));
        }
    }
    (data, diagnostics)
}

struct Reader<'a> {
    name: &'a str,
    options: &'a Options,
    diagnostics: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn read(&mut self, files: Vec<File>) -> Option<Bundle> {
        let files = self.named(files)?;
        let top = Source::new(self.name, "");
        if let Err(message) = signature::verify(&files, &self.options.verification) {
            let help = "use the bundle only if you know why; see `palisade explain PAL-R0206`";
            self.diagnostics.push(trouble(&top, codes::SIGNATURE, message, help));
            return None;
        }
        if files.iter().any(|file| file.path == PATCH) {
            let message = "the bundle holds changes to data (`patch.json`), which need a running store";
            let help = "check the snapshot bundle that they belong to";
            self.diagnostics.push(trouble(&top, codes::DELTA, message, help));
            return None;
        }
        let manifest = self.manifest(&files);
        let (mut modules, mut data) = (Vec::new(), Value::object(Vec::new()));
        for file in &files {
            let base = file.path.rsplit('/').next().unwrap_or_default();
            if extension(base) == "rego" {
                modules.extend(self.module(file, &manifest));
            } else if structured(&file.path) {
                self.data(file, &manifest, &mut data);
            } else if base == "policy.wasm" {
                let message = format!("`{}` is not run; its Rego is", file.path);
                let source = Source::new(self.place(file), "");
                let label = Location { source, span: Span::default() };
                self.diagnostics.push(Diagnostic::new(codes::WASM, Level::Note, message).at(label, ""));
            }
        }
        Some(Bundle { name: self.name.to_owned(), manifest, modules, data })
    }

    /// The files by their clean paths, in order; none where a path leads out of the bundle or occurs twice.
    fn named(&mut self, files: Vec<File>) -> Option<Vec<File>> {
        let mut clean = BTreeMap::new();
        let top = Source::new(self.name, "");
        for file in files {
            let Some(path) = clean_path(&file.path) else {
                let message = format!("the path `{}` leads out of the bundle", file.path.escape_debug());
                let help = "a bundle's files have plain relative paths; do not use this bundle";
                self.diagnostics.push(trouble(&top, codes::ARCHIVE, message, help));
                return None;
            };
            if clean.insert(path.clone(), File { path: path.clone(), ..file }).is_some() {
                let message = format!("the bundle holds `{path}` twice");
                let help = "build the bundle again; it cannot be known which of the two is meant";
                self.diagnostics.push(trouble(&top, codes::ARCHIVE, message, help));
                return None;
            }
        }
        Some(clean.into_values().collect())
    }

    fn place(&self, file: &File) -> String {
        format!("{}/{}", self.name, file.path)
    }

    fn manifest(&mut self, files: &[File]) -> Manifest {
        let Some(file) = files.iter().find(|file| file.path == MANIFEST) else { return Manifest::default() };
        match decode(&self.place(file), &file.bytes) {
            Ok(source) => Manifest::read(&source, &mut self.diagnostics),
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                Manifest::default()
            }
        }
    }

    fn module(&mut self, file: &File, manifest: &Manifest) -> Option<Module> {
        let source = decode(&self.place(file), &file.bytes).map_err(|wrong| self.diagnostics.push(wrong)).ok()?;
        let version = manifest.version(&file.path).unwrap_or(self.options.version);
        let (module, mut diagnostics) = syntax::parse(source, version);
        self.diagnostics.append(&mut diagnostics);
        let module = module?;
        let package = module.package.join("/");
        if !manifest.roots.iter().any(|root| within(&package, root)) {
            let location = Location { source: Arc::clone(&module.source), span: module.package_span };
            let message = format!("the package `{}` is outside of the bundle's roots", module.package.join("."));
            let diagnostic = Diagnostic::error(codes::ROOTS, message).at(location, "");
            self.diagnostics.push(diagnostic.help(roots_help(manifest)));
        }
        Some(module)
    }

    fn data(&mut self, file: &File, manifest: &Manifest, data: &mut Value) {
        let Ok(value) = read_data(file) else { return self.unreadable(file) };
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let source = Source::new(self.place(file), "");
        let keys = folder.split('/').rev().filter(|key| !key.is_empty());
        let value = keys.fold(value, |value, key| Value::object(vec![(Value::string(key), value)]));
        if value.as_object().is_none() {
            let message = "the data at the top of the bundle is not an object";
            return self.diagnostics.push(trouble(
                &source,
                codes::DATA,
                message,
                "put it under a name: `{\"name\": ..}`",
            ));
        }
        if let Some(path) = outside(&value, String::new(), &manifest.roots) {
            let message = format!("the data at `{path}` is outside of the bundle's roots");
            return self.diagnostics.push(trouble(&source, codes::ROOTS, message, &roots_help(manifest)));
        }
        if let Err(path) = merge_into(data, &value, String::new()) {
            let message = format!("the data at `{path}` has a different value in another file");
            self.diagnostics.push(trouble(&source, codes::DATA, message, "keep each path in one file"));
        }
    }

    /// Says what is wrong with a data file, with its place.
    fn unreadable(&mut self, file: &File) {
        let limits = palisade_document::Limits::default();
        let before = self.diagnostics.len();
        match decode(&self.place(file), &file.bytes) {
            Err(diagnostic) => self.diagnostics.push(diagnostic),
            Ok(source) if extension(&file.path) == "json" => {
                self.diagnostics.extend(parse_json(source, &limits).diagnostics);
            }
            Ok(source) => self.diagnostics.extend(parse_yaml(source, &limits).diagnostics),
        }
        if self.diagnostics.len() == before {
            let source = Source::new(self.place(file), "");
            let help = "a data file holds one JSON or YAML document";
            self.diagnostics.push(trouble(&source, codes::DATA, "the data file cannot be read", help));
        }
    }
}

fn trouble(source: &Arc<Source>, code: &'static str, message: impl Into<String>, help: &str) -> Diagnostic {
    let location = Location { source: Arc::clone(source), span: Span::default() };
    Diagnostic::error(code, message).at(location, "").help(help)
}

fn roots_help(manifest: &Manifest) -> String {
    format!("the roots are `{}`; add to them in `.manifest`, or move the file", manifest.roots.join("`, `"))
}

/// What stands after the last dot of a path; letters differ by case, as in Open Policy Agent.
fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// Whether a file is one of those that hold data.
fn structured(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("data.json" | "data.yaml" | "data.yml"))
}

/// The value that a data file or manifest holds, with numbers as they are written in JSON.
fn read_data(file: &File) -> Result<Value, ()> {
    if !matches!(extension(&file.path), "yaml" | "yml") {
        return signature::read_json(&file.bytes).map_err(|_| ());
    }
    let source = decode(&file.path, &file.bytes).map_err(|_| ())?;
    let parsed = parse_yaml(source, &palisade_document::Limits::default());
    let wrong = parsed.diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error);
    match parsed.documents.as_slice() {
        [document] if !wrong => Ok(Value::from(&document.value)),
        _ => Err(()),
    }
}

/// The first path of the data that no root covers.
fn outside(value: &Value, path: String, roots: &[String]) -> Option<String> {
    if roots.iter().any(|root| within(&path, root)) {
        return None;
    }
    let leads_to_root = roots.iter().any(|root| within(root, &path));
    match value.as_object() {
        Some(members) if leads_to_root => {
            members.iter().find_map(|(key, value)| outside(value, below(&path, &key.to_key()), roots))
        }
        _ => Some(path),
    }
}

fn below(path: &str, key: &Str) -> String {
    if path.is_empty() { (**key).to_owned() } else { format!("{path}/{key}") }
}

/// Adds the members of `added` to an object; the error is the path at which the two differ.
fn merge_into(data: &mut Value, added: &Value, path: String) -> Result<(), String> {
    let (Some(present), Some(new)) = (data.as_object(), added.as_object()) else {
        return if *data == *added { Ok(()) } else { Err(path) };
    };
    let mut members = present.clone();
    for (key, value) in new.iter() {
        let mut merged = value.clone();
        if let Some(here) = members.get(key) {
            merged = here.clone();
            merge_into(&mut merged, value, below(&path, &key.to_key()))?;
        }
        members.insert(key.clone(), merged);
    }
    *data = Value::from(members);
    Ok(())
}
