//! Files that are replaced as a whole: after a crash, the loss of power included, there is the old one or the new one.
//!
//! What is written goes into a neighbour, is synced, and takes the file's name; then the folder is synced. Deliberately
//! absent: links, devices and pipes, which only what people name on a command line can be.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// Only the user that the process runs as.
    Owner,
    /// Whoever the system's mask permits.
    Anyone,
}

/// Replaces the file at `path`, or makes it, with what `write` writes. Where it fails, the old file stays and no other
/// one is left behind.
pub fn replace_file(path: &Path, readers: Readers, write: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let neighbour = neighbour(path);
    let written = create(&neighbour, readers).and_then(|mut file| {
        write(&mut file)?;
        file.sync_all()
    });
    written.and_then(|()| put_in_place(&neighbour, path)).inspect_err(|_| {
        // The reason to report is the first failure; a leftover neighbour is removed where that is possible.
        let _ = fs::remove_file(&neighbour);
    })
}

/// Gives the file at `from`, whose content is synced, the name `to`, so that it survives the loss of power.
pub fn put_in_place(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_folder_of(to)
}

/// Makes the names in the folder of `path` survive the loss of power.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn create(path: &Path, readers: Readers) -> io::Result<File> {
    // Left behind by a process that was killed; its mode may be another.
    let _ = fs::remove_file(path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if readers == Readers::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    options.open(path)
}

/// A name beside `path` that no other process uses.
fn neighbour(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("palisade-files-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_failed_replacement_leaves_the_old_file_and_nothing_else() {
        let folder = folder("replace");
        let path = folder.join("key");
        replace_file(&path, Readers::Owner, |file| file.write_all(b"old")).unwrap();
        let failed = replace_file(&path, Readers::Owner, |file| {
            file.write_all(b"half of the n")?;
            Err(io::Error::other("the disk is full"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "the disk is full");
        assert_eq!((fs::read(&path).unwrap(), names(&folder)), (b"old".to_vec(), vec!["key".to_owned()]));
        replace_file(&path, Readers::Owner, |file| file.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        fs::remove_dir_all(folder).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_what_is_for_the_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = folder("mode");
        let path = folder.join("key");
        // What a killed process left behind must not lend its mode.
        fs::write(neighbour(&path), "left behind").unwrap();
        replace_file(&path, Readers::Owner, |file| file.write_all(b"secret")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_dir_all(folder).unwrap();
    }
}
