//! Whether files have changed, and the commit that a folder of Git stands at. Git's files are read, its programs are not run.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use palisade_intake::folders;

use super::Sources;
use crate::languages;

/// The largest file of Git that is read for a commit.
const MAX_GIT_FILE: usize = 16 << 20;

/// The commit that a folder stands at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// The folder with `.git`.
    pub folder: PathBuf,
    /// The commit, in hexadecimal.
    pub commit: String,
    /// The branch, where one is checked out.
    pub branch: Option<String>,
}

/// A number over the names, sizes and times of everything that is read.
pub(super) fn signature(sources: &Sources) -> u64 {
    let mut hasher = DefaultHasher::new();
    let extensions = ["yaml", "yml", "json", "manifest", "gz"].into_iter().chain(languages::extensions());
    let options = folders::Options { extensions: extensions.map(str::to_owned).collect(), hidden: false };
    let roots: Vec<_> = sources.paths.iter().chain(&sources.programs.data).chain(&sources.waivers).cloned().collect();
    let found = folders::files(&roots, &options);
    found.diagnostics.len().hash(&mut hasher);
    for file in &found.files {
        file.hash(&mut hasher);
        if let Ok(metadata) = file.metadata() {
            metadata.len().hash(&mut hasher);
            let written = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            written.map(|since| since.as_nanos()).hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// Whether Git is at work in one of the folders: its index is locked during a checkout, merge or reset.
pub(super) fn is_changing(paths: &[PathBuf]) -> bool {
    paths.iter().filter_map(|path| git_folder(path)).any(|(_, git)| git.join("index.lock").exists())
}

/// The commits of the folders, each folder once.
pub(super) fn revisions(paths: &[PathBuf]) -> Vec<Revision> {
    let mut revisions: Vec<Revision> = Vec::new();
    for (folder, git) in paths.iter().filter_map(|path| git_folder(path)) {
        if revisions.iter().any(|known| known.folder == folder) {
            continue;
        }
        if let Some((commit, branch)) = head(&git) {
            revisions.push(Revision { folder, commit, branch });
        }
    }
    revisions
}

/// The work tree that a path is in, and its `.git` folder, which a linked work tree only names.
fn git_folder(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let path = path.canonicalize().ok()?;
    path.ancestors().find_map(|folder| {
        let git = folder.join(".git");
        if git.is_dir() {
            return Some((folder.to_path_buf(), git));
        }
        let named = read(&git)?;
        let named = named.strip_prefix("gitdir:")?.trim();
        Some((folder.to_path_buf(), folder.join(named)))
    })
}

/// The commit that `HEAD` means, and the branch that it is on.
fn head(git: &Path) -> Option<(String, Option<String>)> {
    let head = read(&git.join("HEAD"))?;
    let Some(name) = head.trim().strip_prefix("ref:").map(str::trim) else {
        return is_commit(head.trim()).then(|| (head.trim().to_owned(), None));
    };
    if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return None;
    }
    // A linked work tree shares the references of the main one.
    let shared = read(&git.join("commondir")).map_or_else(|| git.to_path_buf(), |common| git.join(common.trim()));
    let branch = name.strip_prefix("refs/heads/").map(str::to_owned);
    let loose = read(&shared.join(name)).map(|text| text.trim().to_owned());
    let commit = loose.or_else(|| packed(&read(&shared.join("packed-refs"))?, name))?;
    is_commit(&commit).then_some((commit, branch))
}

fn packed(references: &str, name: &str) -> Option<String> {
    references.lines().find_map(|line| {
        let (commit, reference) = line.split_once(' ')?;
        (reference.trim() == name).then(|| commit.to_owned())
    })
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn read(path: &Path) -> Option<String> {
    if !path.is_file() {
        return None;
    }
    String::from_utf8(palisade_intake::read_bytes(path, MAX_GIT_FILE).ok()?).ok()
}
