//! Writes the list of migrations from what lies in their folder, `NNNN_name.sql` each, so that adding one is adding a file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    println!("cargo::rerun-if-changed=migrations");
    let mut list = String::from("&[\n");
    for (index, file) in files(&root.join("migrations"))?.iter().enumerate() {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let parts = stem.split_once('_').and_then(|(number, name)| Some((number.parse::<usize>().ok()?, name)));
        let Some((version, name)) = parts.filter(|(version, _)| *version == index + 1) else {
            let wanted = format!("`{}` is not the migration {1}: call it {1:04}_NAME.sql", file.display(), index + 1);
            return Err(io::Error::other(wanted));
        };
        let path = file.display();
        let _ = writeln!(list, "Migration {{ version: {version}, name: {name:?}, sql: include_str!(r#\"{path}\"#) }},");
    }
    list.push(']');
    fs::write(out.join("migrations.rs"), list)
}

/// The files of a folder in the order of their names.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.sort();
    Ok(files)
}
