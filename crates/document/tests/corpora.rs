//! Every YAML and JSON file of the public corpora is read without an error, and what is written of it reads back.

use std::path::PathBuf;

use palisade_document::{Limits, parse, walk, write};
use palisade_model::Level;

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says why")]
fn real_files_are_read_and_written() {
    let root = std::env::var_os("PALISADE_CORPORA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora")), PathBuf::from);
    let suites = ["kyverno-policies", "pod-security", "gatekeeper-library", "iac-examples"];
    let roots: Vec<PathBuf> = suites.iter().map(|suite| root.join(suite)).filter(|suite| suite.is_dir()).collect();
    if roots.is_empty() {
        eprintln!("skipped: no corpora at {}", root.display());
        return;
    }
    let walk = walk::files(&roots, &walk::Options::default());
    assert!(walk.diagnostics.is_empty() && !walk.files.is_empty());
    for path in walk.files {
        let name = path.display().to_string();
        let parsed = parse(&name, &std::fs::read(&path).unwrap(), &Limits::default());
        let errors: Vec<_> = parsed.diagnostics.iter().filter(|diagnostic| diagnostic.level == Level::Error).collect();
        assert!(errors.is_empty(), "{errors:?}");
        for document in parsed.documents {
            let text = write::to_yaml(&document.value);
            let again = parse("a.yaml", text.as_bytes(), &Limits::default());
            assert_eq!(again.documents.first().map(|again| &again.value), Some(&document.value), "{name}\n{text}");
        }
    }
}
