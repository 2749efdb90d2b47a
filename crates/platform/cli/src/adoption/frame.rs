//! Paths as the configuration sees them: relative to its folder, with slashes, without `..`.
//!
//! What a run is called with (`./deploy`, `../deploy`, an absolute path) must not change which waiver or baseline entry
//! a file has. Paths are normalised as text: where links lead is not asked.

use std::path::{Component, Path, PathBuf};

/// The folder that paths start from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    root: PathBuf,
    here: PathBuf,
}

impl Frame {
    /// Paths relative to `root`, which is given relative to the working directory.
    pub(crate) fn new(root: &Path) -> Self {
        let here = std::env::current_dir().unwrap_or_default();
        Self { root: normal(&here.join(root)), here }
    }

    /// The path of a file that the working directory knows as `name`; an absolute one for a file outside of the root.
    /// The standard input (`<stdin>`) is called the same everywhere.
    pub(crate) fn relative(&self, name: &str) -> String {
        if name.starts_with('<') {
            return name.to_owned();
        }
        let whole = normal(&self.here.join(name));
        let inside = whole.strip_prefix(&self.root).unwrap_or(&whole);
        let text = inside.display().to_string();
        if std::path::MAIN_SEPARATOR == '/' { text } else { text.replace(std::path::MAIN_SEPARATOR, "/") }
    }

    /// Whether the file that the root knows as `path` exists.
    pub(crate) fn exists(&self, path: &str) -> bool {
        self.root.join(path).symlink_metadata().is_ok()
    }
}

/// The path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_one_file_are_one_path() {
        let frame = Frame { root: "/repo".into(), here: "/repo/sub".into() };
        for (name, expected) in [
            ("a.yaml", "sub/a.yaml"),
            ("./a.yaml", "sub/a.yaml"),
            ("../deploy/a.yaml", "deploy/a.yaml"),
            ("../sub/../deploy/./a.yaml", "deploy/a.yaml"),
            ("/repo/deploy/a.yaml", "deploy/a.yaml"),
            ("/else/a.yaml", "/else/a.yaml"),
            ("../../../../../x/a.yaml", "/x/a.yaml"),
            ("../../repository/a.yaml", "/repository/a.yaml"),
        ] {
            assert_eq!(frame.relative(name), expected, "{name}");
        }
    }
}
