//! The rules of the house that no compiler checks: edges between crates, purity, module docs, file sizes, and that no
//! address of a registry or path of a machine is written down.

use std::fs;
use std::path::{Path, PathBuf};

use crate::edges::{EDGES, OWNERS, PURE, TEST_EDGES};
use crate::shell::Result;

/// Lines of code, tests left out, from which a file must be split.
const MAX_LINES: usize = 600;

/// What keeps crates pure; clippy reads the nearest file of that name.
const PURITY: &str = "crates/guard/clippy.toml";

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["common", "utils", "util", "helpers", "helper", "core", "misc"];

/// Checks all rules and lists every breach.
pub(crate) fn check() -> Result<()> {
    let mut breaches = Vec::new();
    let manifests = find(Path::new("."), "Cargo.toml");
    for manifest in manifests.iter().filter(|manifest| manifest.parent() != Some(Path::new("."))) {
        if !manifest.starts_with("./fuzz") {
            breaches.extend(package(manifest));
        }
    }
    for file in find(Path::new("."), ".rs").iter().filter(|file| !file.starts_with("./fuzz")) {
        breaches.extend(source(file));
    }
    breaches.extend(kinds());
    if breaches.is_empty() { Ok(()) } else { Err(format!("{} breaches\n{}", breaches.len(), breaches.join("\n"))) }
}

/// Each kind of file has a line in the table, fixtures, and a section of the guide.
fn kinds() -> Vec<String> {
    const FOLDER: &str = "crates/document/src/kind";
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let (table, guide) = (read(&format!("{FOLDER}/mod.rs")), read("docs/guide/kinds.md"));
    let mut breaches = Vec::new();
    for file in find(Path::new(FOLDER), ".rs") {
        let module = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if matches!(&*module, "mod" | "tests") {
            continue;
        }
        let id = module.replace('_', "-");
        let mut demand = |holds: bool, what: &str| {
            if !holds {
                breaches.push(format!("{}: {what}", file.display()));
            }
        };
        demand(table.contains(&format!("\n    &{module}::")), "the kind has no line in `KINDS`");
        let fixtures = format!("crates/document/tests/kinds/{id}");
        demand(!find(Path::new(&fixtures), "").is_empty(), &format!("the kind has no fixtures in {fixtures}"));
        demand(guide.contains(&format!("\n## `{id}`\n")), "the kind has no section in docs/guide/kinds.md");
    }
    breaches
}

/// The files below `folder` whose names end with `ending`; build output and hidden folders are left out.
fn find(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(find(&path, ending));
        } else if path.is_file() && name.ends_with(ending) {
            found.push(path);
        }
    }
    found
}

/// A crate's manifest against the tables.
fn package(manifest: &Path) -> Vec<String> {
    let text = fs::read_to_string(manifest).unwrap_or_default();
    let name =
        text.lines().find_map(|line| line.strip_prefix("name = ")).unwrap_or_default().trim_matches('"').to_owned();
    let place = manifest.display();
    let mut breaches = Vec::new();
    let Some((_, permitted)) = EDGES.iter().find(|(package, _)| *package == name) else {
        return vec![format!("{place}: `{name}` has no line in the table of xtask/src/edges.rs")];
    };
    let of_tests = TEST_EDGES.iter().find(|(package, _)| *package == name).map_or(&[][..], |(_, more)| more);
    for (dependency, by_tests) in dependencies(&text) {
        let may = permitted.contains(&&*dependency) || (by_tests && of_tests.contains(&&*dependency));
        if EDGES.iter().any(|(package, _)| *package == dependency) && !may {
            breaches.push(format!("{place}: `{name}` may not depend on `{dependency}`"));
        }
        if let Some((_, owners)) = OWNERS.iter().find(|(owned, _)| *owned == dependency)
            && !owners.contains(&&*name)
        {
            breaches.push(format!("{place}: `{dependency}` belongs to {}", owners.join(", ")));
        }
    }
    if PURE.contains(&&*name) && !manifest.parent().is_some_and(is_kept_pure) {
        breaches.push(format!("{place}: `{name}` decides; link its `clippy.toml` to {PURITY}"));
    }
    if !text.contains("[lints]\nworkspace = true") {
        breaches.push(format!("{place}: the workspace's lints are not switched on"));
    }
    breaches
}

/// Dependency names of a manifest, each with whether only tests use it: the keys in its dependency tables, which all
/// inherit from the workspace.
fn dependencies(manifest: &str) -> Vec<(String, bool)> {
    let mut table = "";
    let mut names = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            table = line;
        } else if table.contains("dependencies")
            && let Some((key, _)) = line.split_once([' ', '.', '='])
        {
            names.push((key.to_owned(), table.contains("dev-")));
        }
    }
    names
}

/// A source file against the rules of style.
fn source(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let place = file.display();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut breaches = Vec::new();
    if is_test(file) {
        return breaches;
    }
    if !text.starts_with("//!") {
        breaches.push(format!("{place}: does not open with `//!`: what it is and why it is here"));
    }
    let lines = code.lines().count();
    if lines > MAX_LINES {
        breaches.push(format!("{place}: {lines} lines; split it along its nouns (limit {MAX_LINES})"));
    }
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if EMPTY_NAMES.contains(&&*stem) {
        breaches.push(format!("{place}: `{stem}` says nothing about what is inside"));
    }
    breaches
}

/// Whether `file` holds tests, which may be long, impure, and need no introduction.
fn is_test(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == "tests") || file.to_string_lossy().ends_with("tests.rs")
}

/// Whether clippy keeps a crate in `folder` from reading clocks, files, networks and the environment.
fn is_kept_pure(folder: &Path) -> bool {
    let nearest = [folder.join("clippy.toml"), folder.join("../clippy.toml")];
    let nearest = nearest.iter().find(|file| file.exists()).and_then(|file| file.canonicalize().ok());
    nearest.is_some_and(|file| Path::new(PURITY).canonicalize().is_ok_and(|purity| purity == file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_keeps_its_rules() {
        std::env::set_current_dir(crate::root()).unwrap();
        check().unwrap();
    }

    #[test]
    fn every_edge_points_inward() {
        for (position, (package, permitted)) in EDGES.iter().enumerate() {
            for dependency in *permitted {
                let inner = EDGES.iter().position(|(name, _)| name == dependency).unwrap();
                assert!(inner < position, "{package} -> {dependency} points outward");
            }
        }
    }

    #[test]
    fn what_decides_is_kept_pure_and_what_does_not_is_not() {
        std::env::set_current_dir(crate::root()).unwrap();
        for folder in ["crates/model", "crates/document", "crates/guard/cel"] {
            assert!(is_kept_pure(Path::new(folder)), "{folder}");
        }
        assert!(!is_kept_pure(Path::new("crates/platform/store")) && !is_kept_pure(Path::new("xtask")));
    }

    #[test]
    fn no_owner_and_no_edge_is_stale() {
        std::env::set_current_dir(crate::root()).unwrap();
        let manifests = find(Path::new("."), "Cargo.toml");
        let texts: Vec<String> = manifests.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
        let named = |by: &str, what: &str| {
            let own = |text: &&String| text.contains(&format!("name = \"{by}\""));
            texts.iter().filter(own).any(|text| dependencies(text).iter().any(|(name, _)| name == what))
        };
        for (crate_, owners) in OWNERS {
            for owner in *owners {
                assert!(named(owner, crate_), "OWNERS: {owner} does not name {crate_}");
            }
        }
        for (package, permitted) in EDGES.iter().chain(TEST_EDGES) {
            for dependency in *permitted {
                assert!(named(package, dependency), "EDGES: {package} does not name {dependency}");
            }
        }
    }

    #[test]
    fn dependency_tables_are_read() {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\nserde.workspace = true\n[dev-dependencies]\nclap = { workspace = true }\n[lints]\nworkspace = true\n";
        assert_eq!(dependencies(manifest), [("serde".to_owned(), false), ("clap".to_owned(), true)]);
    }
}
