//! A temporary folder that goes with its owner. A killed test cannot tidy up after itself, so each start also removes the
//! folders whose owners are gone: an owner holds a lock on the file beside its folder for as long as it lives.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::failure::OrFail;

/// What the folders' names begin with.
const PREFIX: &str = "palisade-testkit-";

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder that is removed on drop.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes a folder whose name starts with `kind`.
    pub(crate) fn create(kind: &str) -> Self {
        let parent = std::env::temp_dir();
        sweep(&parent);
        let name = format!("{PREFIX}{kind}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let lock_path = parent.join(format!("{name}.lock"));
        let lock = File::create(&lock_path).or_fail(|| format!("creating `{}`", lock_path.display()));
        lock.lock().or_fail(|| format!("locking `{}`", lock_path.display()));
        let path = parent.join(name);
        fs::create_dir(&path).or_fail(|| format!("creating `{}`", path.display()));
        Self { path, lock_path, _lock: lock }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file into the folder.
    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path.join(name);
        fs::write(&path, content).or_fail(|| format!("writing `{}`", path.display()));
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next start.
        if fs::remove_dir_all(&self.path).is_ok() {
            let _ = fs::remove_file(&self.lock_path);
        }
    }
}

/// Removes the folders of ours whose lock nobody holds.
fn sweep(parent: &Path) {
    for lock_path in fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.path()) {
        let name = lock_path.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with(PREFIX) || !name.ends_with(".lock") {
            continue;
        }
        let Ok(lock) = File::open(&lock_path) else { continue };
        if matches!(lock.try_lock(), Err(TryLockError::WouldBlock | TryLockError::Error(_))) {
            continue;
        }
        let folder = lock_path.with_extension("");
        if !folder.exists() || fs::remove_dir_all(&folder).is_ok() {
            let _ = fs::remove_file(&lock_path);
        }
    }
}
