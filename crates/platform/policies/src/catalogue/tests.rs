use std::fs;
use std::path::Path as FilePath;

use palisade_model::json;

use super::*;

/// A folder of its own for one test, removed when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("palisade-catalogue-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.0.join(name);
        fs::create_dir_all(file.parent().unwrap_or(FilePath::new(""))).unwrap();
        fs::write(file, text).unwrap();
    }

    fn catalogue(&self) -> Catalogue {
        let waivers = Some(self.0.join("waivers.yaml"));
        Catalogue::new(Sources { paths: vec![self.0.join("policies")], waivers, ..Sources::default() })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn policy(name: &str, expression: &str) -> String {
    format!(
        "apiVersion: policies.kyverno.io/v1\nkind: ValidatingPolicy\nmetadata: {{name: {name}}}\nspec:\n  \
         matchConstraints:\n    resourceRules:\n      - apiGroups: ['']\n        apiVersions: [v1]\n        \
         operations: [CREATE]\n        resources: [pods]\n  validations:\n    - expression: \"{expression}\"\n"
    )
}

fn reload(catalogue: &mut Catalogue) -> Edition {
    catalogue.reload(&Given::default(), Timestamp::UNIX_EPOCH)
}

fn names(edition: &Edition) -> Vec<String> {
    edition.ruleset.policies().iter().map(|policy| policy.reference().to_string()).collect()
}

fn state<'e>(edition: &'e Edition, name: &str) -> &'e State {
    &edition.documents.iter().find(|document| document.document.name() == name).unwrap().state
}

#[test]
fn a_broken_policy_never_replaces_a_sound_one() {
    let folder = Folder::new("broken");
    folder.write("policies/a.yaml", &policy("a", "object.spec.hostNetwork != true"));
    folder.write("policies/b.yaml", &policy("b", "true"));
    let mut catalogue = folder.catalogue();
    let first = reload(&mut catalogue);
    assert_eq!(names(&first), ["a", "b"]);
    assert_eq!(state(&first, "a"), &State::Ready);

    folder.write("policies/a.yaml", &policy("a", "object.spec."));
    folder.write("policies/new.yaml", &policy("new", "1 +"));
    let second = reload(&mut catalogue);
    assert_eq!(names(&second), ["a", "b"]);
    assert_eq!(second.ruleset.digest, first.ruleset.digest, "the same rules are in force");
    assert!(matches!(state(&second, "a"), State::Kept { problem } if problem.contains("a.yaml")), "{second:?}");
    assert!(matches!(state(&second, "new"), State::Refused { .. }), "{second:?}");

    folder.write("policies/a.yaml", "spec: [");
    let third = reload(&mut catalogue);
    assert_eq!(third.ruleset.digest, first.ruleset.digest, "a file that is no YAML keeps its policies");
    assert!(matches!(state(&third, "a"), State::Kept { .. }), "{third:?}");

    folder.write("policies/a.yaml", &policy("a", "object.spec.hostPID != true"));
    fs::remove_file(folder.0.join("policies/b.yaml")).unwrap();
    let fourth = reload(&mut catalogue);
    assert_eq!(names(&fourth), ["a"], "what is deleted is gone");
    assert_ne!(fourth.ruleset.digest, first.ruleset.digest);
    assert_eq!(state(&fourth, "a"), &State::Ready);

    fs::rename(folder.0.join("policies"), folder.0.join("elsewhere")).unwrap();
    let fifth = reload(&mut catalogue);
    assert_eq!(fifth.ruleset.digest, fourth.ruleset.digest, "a folder that has vanished keeps its policies");
    assert!(has_errors(&fifth.diagnostics));
}

#[test]
fn programs_and_waivers_that_are_wrong_leave_the_last_ones_in_force() {
    let folder = Folder::new("programs");
    let program = |rule: &str| format!("package main\n\nimport rego.v1\n\n{rule}\n");
    folder.write("policies/p.rego", &program("deny contains \"no\" if input.kind == \"Pod\""));
    folder.write("waivers.yaml", "waivers: [{policies: [main], reason: r, owner: o, expires: 2027-01-31}]\n");
    let mut catalogue = folder.catalogue();
    let first = reload(&mut catalogue);
    assert_eq!((names(&first).len(), first.ruleset.waivers.entries().len()), (1, 1));

    folder.write("policies/p.rego", &program("deny contains \"no\" if"));
    folder.write("waivers.yaml", "waivers: [{policies: [main]}]\n");
    let second = reload(&mut catalogue);
    assert!(has_errors(&second.diagnostics));
    assert_eq!(second.ruleset.digest, first.ruleset.digest);
}

#[test]
fn a_policy_of_the_cluster_is_kept_like_one_of_a_file() {
    let folder = Folder::new("cluster");
    folder.write("policies/a.yaml", &policy("a", "true"));
    let mut catalogue = folder.catalogue();
    let object = |expression: &str| {
        Resource::in_memory(json!({
            "apiVersion": "policies.kyverno.io/v1", "kind": "ValidatingPolicy",
            "metadata": {"name": "c", "uid": "7", "resourceVersion": "1"},
            "spec": {
                "matchConstraints": {"resourceRules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]
                }]},
                "validations": [{"expression": expression}]
            }
        }))
    };
    let mut with = |expression: &str| {
        let given = Given { cluster: vec![object(expression)], ..Given::default() };
        catalogue.reload(&given, Timestamp::UNIX_EPOCH)
    };
    let first = with("true");
    let broken = with("object.");
    assert_eq!((names(&first), &broken.ruleset.digest), (vec!["a".to_owned(), "c".into()], &first.ruleset.digest));
    assert!(matches!(state(&broken, "c"), State::Kept { problem } if problem.contains("cluster:ValidatingPolicy/c")));
    assert_eq!(names(&with("false")), ["a", "c"]);
}

#[test]
fn a_folder_of_git_has_a_commit_and_is_left_alone_while_it_changes() {
    let folder = Folder::new("git");
    let commit = "0123456789abcdef0123456789abcdef01234567";
    folder.write("policies/a.yaml", &policy("a", "true"));
    folder.write(".git/HEAD", "ref: refs/heads/main\n");
    folder.write(".git/packed-refs", &format!("# pack-refs\n{commit} refs/heads/main\n"));
    let mut catalogue = folder.catalogue();
    let edition = reload(&mut catalogue);
    let found: Vec<_> = edition.revisions.iter().map(|at| (at.commit.as_str(), at.branch.as_deref())).collect();
    assert_eq!(found, [(commit, Some("main"))]);
    let before = catalogue.signature();
    assert!(before.is_some());
    folder.write("policies/b.yaml", &policy("b", "true"));
    assert_ne!(catalogue.signature(), before);
    folder.write(".git/index.lock", "");
    assert_eq!(catalogue.signature(), None);
}
