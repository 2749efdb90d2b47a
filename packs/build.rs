//! Writes the table of each pack's rules from what lies in its folders, so that adding a rule is adding a folder.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    for pack in ["kubernetes", "secure-defaults"] {
        println!("cargo::rerun-if-changed={pack}");
        let mut table = String::from("&[");
        for group in folders(&root.join(pack))? {
            for rule in folders(&group)? {
                entry(&mut table, &group, &rule);
            }
        }
        table.push(']');
        fs::write(out.join(format!("{pack}.rs")), table)?;
    }
    Ok(())
}

/// The folders in `folder`, sorted, so that every machine builds the same table.
fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut folders: Vec<PathBuf> = entries.collect::<io::Result<_>>()?;
    folders.retain(|path| path.is_dir());
    folders.sort();
    Ok(folders)
}

fn entry(table: &mut String, group: &Path, rule: &Path) {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = |file: &str| format!("include_str!({:?})", rule.join(file).to_string_lossy());
    let fix = if rule.join("fix.yaml").is_file() { format!("Some({})", text("fix.yaml")) } else { "None".to_owned() };
    let (group, id) = (name(group), name(rule));
    let text = text("rule.yaml");
    // Writing to a text cannot fail.
    let _ = writeln!(table, "Entry {{ id: {id:?}, group: {group:?}, text: {text}, fix: {fix} }},");
}
