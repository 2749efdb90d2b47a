//! Agreement with Kubernetes' own test pods of the Pod Security Standards, at the newest version among them.

use std::path::{Path, PathBuf};

use crate::runner::{Found, check, corpus, selector};

#[test]
fn the_standards_agree_with_kubernetes() {
    let Some(corpus) = corpus("pod-security") else { return };
    let mut pods = 0;
    for level in ["baseline", "restricted"] {
        let newest = newest(&corpus.join("test/testdata").join(level));
        for side in ["pass", "fail"] {
            let folder = newest.join(side);
            let found = check(std::slice::from_ref(&folder), &[selector(level)]);
            let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
            files.sort();
            for file in files {
                let here = |finding: &&Found| Path::new(&finding.file).file_name() == file.file_name();
                let here: Vec<_> = found.iter().filter(here).collect();
                assert!(here.iter().all(|finding| finding.verdict == "fail"), "{}: {here:#?}", file.display());
                assert_eq!(here.is_empty(), side == "pass", "{}: {here:#?}", file.display());
                pods += 1;
            }
        }
    }
    eprintln!("the Pod Security Standards agree on {pods} pods");
}

/// The folder of the highest version.
fn newest(level: &Path) -> PathBuf {
    let minor = |path: &PathBuf| path.file_name()?.to_str()?.strip_prefix("v1.")?.parse::<u32>().ok();
    let versions = std::fs::read_dir(level).unwrap().map(|entry| entry.unwrap().path());
    versions.max_by_key(minor).unwrap()
}
