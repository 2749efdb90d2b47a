//! Hostile documents, as manifests and as policies: the reader refuses them at a place, and the run decides nothing.

use std::fmt::Write as _;

use crate::content::{POD, harmless};
use crate::runner::Folder;

/// Texts with the name of their file and what is said about them.
fn unreadable() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let mut aliases = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        writeln!(aliases, "a{level}: &a{level} [{}]", vec![format!("*a{}", level - 1); 9].join(", ")).unwrap();
    }
    let mut staircase = String::new();
    for level in 0..2_000 {
        writeln!(staircase, "{}a:", " ".repeat(level)).unwrap();
    }
    let deep = 100_000;
    vec![
        ("aliases.yaml", aliases.into_bytes(), "PAL-D0005"),
        ("cycle.yaml", b"a: &a [*a]\n".to_vec(), "cycle.yaml:1"),
        ("flow.yaml", "[".repeat(deep).into_bytes(), "PAL-D0004"),
        ("maps.yaml", "{a: ".repeat(deep).into_bytes(), "PAL-D0004"),
        ("block.yaml", "- ".repeat(deep).into_bytes(), "PAL-D0004"),
        ("staircase.yaml", staircase.into_bytes(), "PAL-D0004"),
        ("arrays.json", "[".repeat(deep).into_bytes(), "PAL-D0004"),
        ("objects.json", "{\"a\":".repeat(deep).into_bytes(), "PAL-D0004"),
        ("latin.yaml", b"a: caf\xE9\n".to_vec(), "latin.yaml:1"),
        ("nul.yaml", b"a: 1\nb: \0\n".to_vec(), "nul.yaml:2"),
        ("nul.json", b"{\"a\": \"\0\"}".to_vec(), "nul.json:1"),
        ("utf16.yaml", b"\xFF\xFEa\0:\0 \x001\0\n\0".iter().copied().chain([0xD8]).collect(), "utf16.yaml"),
        ("random.yaml", (0_u32..4096).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect(), "random.yaml"),
        ("tabs.yaml", b"a:\n\tb: 1\n".to_vec(), "tabs.yaml:2"),
        ("cut.json", b"{\"a\": [1, 2".to_vec(), "cut.json:1"),
    ]
}

#[test]
fn what_cannot_be_read_is_named_and_decides_nothing() {
    for (name, bytes, saying) in unreadable() {
        let folder = Folder::new(name).file(name, bytes).file("pod.yaml", POD).file("policy.yaml", harmless());
        folder.run(&["check", name, "pod.yaml", "-p", "policy.yaml"]).ends(2, saying);
        folder.run(&["check", "pod.yaml", "-p", name, "policy.yaml"]).ends(2, saying);
        folder.run(&["mutate", name, "-p", "policy.yaml"]).ends(2, saying);
        folder.run(&["test", name]).ends(2, saying);
    }
}

/// 100 MB in one scalar, and 70 MB in many: above the limit, and not even held in memory.
#[test]
fn a_file_above_the_limit_is_not_read() {
    let scalar = format!("a: {}", "x".repeat(100 << 20));
    let many = "- aaaaaa\n".repeat((70 << 20) / 9);
    let folder = Folder::new("large").file("scalar.yaml", scalar).file("many.yaml", many).file("p.yaml", harmless());
    for name in ["scalar.yaml", "many.yaml"] {
        folder.run(&["check", name, "-p", "p.yaml"]).ends(2, "PAL-D0003");
        folder.run(&["check", "p.yaml", "-p", name]).ends(2, "PAL-D0003");
    }
}

/// Just under the limit of bytes: read, judged, and quoted only in part.
#[test]
fn a_large_scalar_is_quoted_in_part() {
    let pod = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec: {}\n", "x".repeat(20 << 20));
    let policy = crate::content::policy("validate: {message: m, pattern: {spec: {a: 1}}}");
    let folder = Folder::new("scalar").file("pod.yaml", pod).file("policy.yaml", policy);
    let run = folder.run(&["check", "pod.yaml", "-p", "policy.yaml"]).ends(1, "pod.yaml:4");
    assert!(run.stdout.len() < 10_000, "{} bytes", run.stdout.len());
}

#[test]
fn more_documents_than_the_limit_are_an_error_and_fewer_are_judged() {
    let tiny = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: a}\n";
    let folder = Folder::new("documents")
        .file("most.yaml", tiny.repeat(10_000))
        .file("empty.yaml", "---\n".repeat(99_000))
        .file("over.yaml", "---\na: 1\n".repeat(100_001))
        .file("policy.yaml", harmless());
    folder.run(&["check", "most.yaml", "-p", "policy.yaml"]).ends(0, "10000 resources");
    folder.run(&["check", "empty.yaml", "-p", "policy.yaml"]).ends(3, "0 documents");
    folder.run(&["check", "over.yaml", "-p", "policy.yaml"]).ends(2, "over.yaml:200001");
}

#[test]
fn empty_and_foreign_input_is_not_a_pass() {
    let folder = Folder::new("empty")
        .file("empty.yaml", "")
        .file("null.yaml", "null\n")
        .file("number.json", "5")
        .file("pod.yaml", POD)
        .file("policy.yaml", harmless());
    for name in ["empty.yaml", "null.yaml", "number.json"] {
        folder.run(&["check", name, "-p", "policy.yaml"]).ends(3, "nothing was evaluated");
        folder.run(&["check", "pod.yaml", "-p", name]).ends(3, "0 policies");
        folder.run(&["mutate", name, "-p", "policy.yaml"]).ends(3, "nothing was evaluated");
    }
    for name in ["empty.yaml", "null.yaml"] {
        folder.run(&["test", name]).ends(3, "nothing was tested");
    }
    folder.run(&["test", "number.json"]).ends(2, "number.json:1");
}

/// As the API server reads it: the last one wins, and that is said.
#[test]
fn a_key_that_occurs_twice_is_reported() {
    let pod = POD.replace("spec:", "metadata: {name: other}\nspec:");
    let named = crate::content::policy("validate: {message: m, pattern: {metadata: {name: web}}}");
    let folder = Folder::new("twice").file("pod.yaml", pod).file("policy.yaml", named);
    let run = folder.run(&["check", "pod.yaml", "-p", "policy.yaml"]).ends(1, "pod.yaml:4");
    assert!(run.stderr.contains("PAL-D0012"), "{}", run.stderr);
}

/// The most nested document that is read goes through every engine on the small stack of a worker thread.
#[test]
fn the_deepest_document_fits_on_every_stack() {
    let nested = |depth: usize, leaf: &str| format!("{}{leaf}{}", "{a: ".repeat(depth), "}".repeat(depth));
    let pod = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec: {}\n", nested(125, "x"));
    let pattern = format!("validate: {{message: m, pattern: {{spec: {}}}}}", nested(110, "x"));
    let merge = format!("mutate: {{patchStrategicMerge: {{spec: {}}}}}", nested(110, "{b: y}"));
    let cel = crate::content::validating_policy("string(object.spec) != '' && object == object && dyn(object) != 1");
    let mut folder = Folder::new("stack")
        .file("pattern.yaml", crate::content::policy(&pattern))
        .file("merge.yaml", crate::content::policy(&merge))
        .file("cel.yaml", cel);
    for copy in 0..40 {
        folder = folder.file(&format!("pod{copy}.yaml"), &pod);
    }
    folder.run(&["check", ".", "-p", "pattern.yaml", "-j", "4"]).ends(1, "pod0.yaml");
    folder.run(&["check", ".", "-p", "merge.yaml", "-j", "4"]).ends(0, "40 resources");
    folder.run(&["check", ".", "-p", "cel.yaml", "-j", "4"]).ends(2, "pod0.yaml");
    folder.run(&["mutate", "pod0.yaml", "-p", "merge.yaml"]).ends(0, "1 document");
}
