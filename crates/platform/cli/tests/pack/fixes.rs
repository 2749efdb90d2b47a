//! Fixes mend what their rules find and leave alone what passes.

use palisade_packs::KUBERNETES;

use crate::rules::folder;
use crate::runner::{check, palisade, selector};

#[test]
fn fixes_mend_what_their_rules_find() {
    let fixable: Vec<_> = KUBERNETES.rules.iter().filter(|entry| entry.fix.is_some()).collect();
    assert!(fixable.len() >= 8, "only {} rules have a fix", fixable.len());
    for entry in fixable {
        let mutate = |name: &str| {
            let file = folder(entry).join(name).display().to_string();
            palisade(&["mutate".into(), file, "-p".into(), selector(entry.id)])
        };
        let mended = std::env::temp_dir().join(format!("palisade-fix-{}-{}.yaml", entry.id, std::process::id()));
        std::fs::write(&mended, mutate("fail.yaml").stdout).unwrap();
        let before = check(&[folder(entry).join("fail.yaml")], &[selector(entry.id)]);
        let after = check(std::slice::from_ref(&mended), &[selector(entry.id)]);
        assert!(after.len() < before.len(), "{}: {after:#?}", entry.id);
        std::fs::remove_file(mended).unwrap();
    }
}

#[test]
fn fixes_overwrite_nothing() {
    for entry in KUBERNETES.rules.iter().filter(|entry| entry.fix.is_some()) {
        let hardened = crate::runner::repository().join("packs/kubernetes/hardened.yaml");
        let arguments = ["mutate".into(), hardened.display().to_string(), "-p".into(), selector(entry.id)];
        let text = std::fs::read_to_string(&hardened).unwrap();
        assert_eq!(String::from_utf8_lossy(&palisade(&arguments).stdout), text, "{} changes what is right", entry.id);
    }
}
