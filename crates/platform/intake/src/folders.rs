//! Finds the files under the roots a person names.
//!
//! `.gitignore` and `.palisadeignore` are honoured, hidden entries are skipped unless they are a root themselves, and
//! links to folders are not entered, so that no loop is possible. The order does not depend on the file system. What
//! cannot be read is a diagnostic: a check must not claim more than it looked at.

use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};
use palisade_model::Diagnostic;

use crate::codes;

/// The extensions of documents.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Extensions to keep, without the dot; empty keeps those of documents (yaml, yml, json).
    pub extensions: Vec<String>,
    /// Whether hidden files and folders are entered too.
    pub hidden: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Walk {
    /// Files in sorted order, each once.
    pub files: Vec<PathBuf>,
    /// Files that were seen and are not wanted, each once.
    pub others: Vec<PathBuf>,
    /// Roots that do not exist, folders that cannot be read, ignore files that are wrong.
    pub diagnostics: Vec<Diagnostic>,
}

/// The files under `roots`. A root that is a file is kept whatever its extension, even if it is ignored or hidden.
pub fn files(roots: &[PathBuf], options: &Options) -> Walk {
    matching(roots, options.hidden, &|path| has_extension(path, options))
}

/// The files under `roots` that are `wanted`, in hidden folders too where asked. A root that is a file is kept.
pub fn matching(roots: &[PathBuf], hidden: bool, wanted: &dyn Fn(&Path) -> bool) -> Walk {
    let mut walk = Walk::default();
    for root in roots {
        match root.metadata() {
            Ok(metadata) if metadata.is_dir() => walk.folder(root, hidden, wanted),
            Ok(_) => walk.files.push(root.clone()),
            Err(error) => walk.diagnostics.push(unreadable(root, &error.to_string())),
        }
    }
    walk.files.sort();
    walk.files.dedup();
    walk.others.sort();
    walk.others.dedup();
    walk
}

impl Walk {
    fn folder(&mut self, root: &Path, hidden: bool, wanted: &dyn Fn(&Path) -> bool) {
        let walker = WalkBuilder::new(root)
            .hidden(!hidden)
            .require_git(false)
            .git_global(false)
            .add_custom_ignore_filename(".palisadeignore")
            .follow_links(false)
            .build();
        for entry in walker {
            match entry {
                Ok(entry) => self.entry(&entry, wanted),
                Err(error) => self.diagnostics.push(unreadable(root, &error.to_string())),
            }
        }
    }

    fn entry(&mut self, entry: &DirEntry, wanted: &dyn Fn(&Path) -> bool) {
        if let Some(error) = entry.error() {
            let message = format!("an ignore file near `{}` is wrong: {error}", entry.path().display());
            self.diagnostics
                .push(Diagnostic::warning(codes::PATH, message).help("correct the pattern in the ignore file"));
        }
        let wanted = wanted(entry.path());
        match is_file(entry) {
            Ok(true) if wanted => self.files.push(entry.path().to_owned()),
            Ok(true) => self.others.push(entry.path().to_owned()),
            Ok(false) => {}
            // A link that leads nowhere holds nothing, which matters only where something was wanted.
            Err(_) if !wanted => {}
            Err(error) => self.diagnostics.push(unreadable(entry.path(), &error.to_string())),
        }
    }
}

/// A file, or a link to one; an error for a link that leads nowhere.
fn is_file(entry: &DirEntry) -> std::io::Result<bool> {
    match entry.file_type() {
        Some(kind) if kind.is_symlink() => Ok(entry.path().metadata()?.is_file()),
        kind => Ok(kind.is_some_and(|kind| kind.is_file())),
    }
}

fn has_extension(path: &Path, options: &Options) -> bool {
    let Some(extension) = path.extension().and_then(|extension| extension.to_str()) else { return false };
    if options.extensions.is_empty() {
        return EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(extension));
    }
    options.extensions.iter().any(|known| known.eq_ignore_ascii_case(extension))
}

fn unreadable(path: &Path, reason: &str) -> Diagnostic {
    Diagnostic::error(codes::PATH, format!("`{}` cannot be read: {reason}", path.display()))
        .help("check the path and its permissions")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A folder of its own for one test, removed when the test ends.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let root = std::env::temp_dir().join(format!("palisade-walk-{}-{name}", std::process::id()));
            for (path, text) in files {
                let path = root.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            Self(root)
        }

        fn names(&self, walk: &Walk) -> Vec<String> {
            let name = |path: &PathBuf| path.strip_prefix(&self.0).unwrap().to_string_lossy().into_owned();
            walk.files.iter().map(name).collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn ignored_and_hidden_files_are_left_out_and_the_rest_is_sorted() {
        let folder = Folder::new(
            "ignore",
            &[
                ("b/z.yml", ""),
                ("a.YAML", ""),
                ("b/a.json", ""),
                ("b/notes.txt", ""),
                ("out/x.yaml", ""),
                ("old/x.yaml", ""),
                (".hidden/x.yaml", ""),
                (".gitignore", "out/\n"),
                (".palisadeignore", "old/\n"),
            ],
        );
        let walk = files(&[folder.0.clone(), folder.0.join("b")], &Options::default());
        assert_eq!(folder.names(&walk), ["a.YAML", "b/a.json", "b/z.yml"]);
        let explicit = [folder.0.join(".hidden"), folder.0.join("b/notes.txt")];
        assert_eq!(folder.names(&files(&explicit, &Options::default())), [".hidden/x.yaml", "b/notes.txt"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_cannot_loop() {
        let folder = Folder::new("links", &[("a/x.yaml", "")]);
        std::os::unix::fs::symlink(&folder.0, folder.0.join("a/loop")).unwrap();
        std::os::unix::fs::symlink(folder.0.join("a/x.yaml"), folder.0.join("link.yaml")).unwrap();
        let walk = files(std::slice::from_ref(&folder.0), &Options::default());
        assert_eq!(folder.names(&walk), ["a/x.yaml", "link.yaml"]);
        assert!(walk.diagnostics.is_empty());
        std::os::unix::fs::symlink("nowhere", folder.0.join("lost.yaml")).unwrap();
        let walk = files(std::slice::from_ref(&folder.0), &Options::default());
        assert!(walk.diagnostics[0].message.contains("lost.yaml"), "{:?}", walk.diagnostics);
    }

    #[test]
    fn a_missing_root_is_a_diagnostic() {
        let walk = files(&[PathBuf::from("/no/such/place")], &Options::default());
        assert_eq!(walk.diagnostics[0].code, codes::PATH);
    }
}
