//! Control sequences in names and messages: a terminal must not act on what a document says.

use crate::content::policy;
use crate::runner::Folder;

/// Clears the screen, sets the title, draws a link and writes from right to left.
const SEQUENCES: &str = "\\e[2J\\e]0;owned\\a\\e]8;;http://x\\e\\\\\\u009b31m\\u202e\\rhidden";

fn assert_harmless(text: &str, what: &str) {
    for sequence in ["\u{1b}[2J", "\u{1b}]", "\u{7}", "\u{9b}", "\u{202e}", "\rhidden"] {
        assert!(!text.contains(sequence), "{what}: {sequence:?} in {text:?}");
    }
}

#[test]
fn no_document_speaks_to_the_terminal() {
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: \"{SEQUENCES}\", labels: {{\"{SEQUENCES}\": \"{SEQUENCES}\"}}}}\n"
    );
    let body = format!(
        "validate: {{message: \"{SEQUENCES} {{{{ request.object.metadata.name }}}}\", pattern: {{metadata: {{name: a}}}}}}"
    );
    let broken = format!("validate: {{message: m, pattern: {{}}, \"{SEQUENCES}\": 1}}");
    let test = format!(
        "apiVersion: cli.kyverno.io/v1alpha1
kind: Test
metadata: {{name: t}}
policies: [policy.yaml]
resources: [pod.yaml]
results: [{{policy: \"{SEQUENCES}\", rule: \"{SEQUENCES}\", resources: [\"{SEQUENCES}\"], kind: Pod, result: pass}}]
"
    );
    let folder = Folder::new("terminal")
        .file("pod.yaml", pod)
        .file("policy.yaml", policy(&body))
        .file("broken.yaml", policy(&broken))
        .file("raw.yaml", "a: \u{1b}[2J\u{1b}]0;owned\u{7}\n")
        .file("\u{1b}[2J\u{1b}]0;owned\u{7}\rhidden.yaml", "a: [")
        .file("kyverno-test.yaml", test);
    for arguments in [
        &["check", "pod.yaml", "-p", "policy.yaml"][..],
        &["check", "pod.yaml", "-p", "broken.yaml"],
        &["check", "raw.yaml", "-p", "policy.yaml"],
        &["check", ".", "-p", "policy.yaml"],
        &["test", "."],
        &["test", ".", "--verbose"],
        &["mutate", ".", "-p", "policy.yaml"],
        &["list", "rules", "-p", "policy.yaml"],
        &["check", "\u{1b}[2J\u{1b}]0;owned\u{7}\rmissing", "-p", "policy.yaml"],
        &["check", "pod.yaml", "-p", "policy.yaml", "--values", "\u{1b}[2J\u{1b}]0;owned\u{7}"],
    ] {
        let run = folder.run(&[arguments, &["--color", "always"]].concat());
        assert_harmless(&run.stdout, &format!("stdout of {arguments:?}"));
        assert_harmless(&run.stderr, &format!("stderr of {arguments:?}"));
        assert_ne!(run.exit(), Some(101), "{arguments:?}");
    }
    // Files for programs keep the letters, but no control character.
    for format in ["json", "sarif", "junit"] {
        let run = folder.run(&["check", "pod.yaml", "-p", "policy.yaml", "--format", format]);
        assert!(!run.stdout.contains(|c: char| c.is_ascii_control() && c != '\n'), "{format}: {:?}", run.stdout);
    }
}

#[test]
fn no_name_begins_a_line() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: \"a\\n::stop-commands::x\"}\n";
    let folder = Folder::new("lines")
        .file("pod.yaml", pod)
        .file("policy.yaml", policy("validate: {message: m, pattern: {metadata: {name: a}}}"))
        .file("b\n::add-mask::y.yaml", pod);
    for further in [&[][..], &["--quiet"], &["--format", "github"]] {
        let run = folder.run(&[&["check", ".", "-p", "policy.yaml"], further].concat());
        let (out, told) = (run.stdout.as_str(), run.stderr.as_str());
        assert!(out.contains("stop-commands"), "{out}");
        let begins = |line: &str| line.starts_with("::stop-commands") || line.starts_with("::add-mask");
        assert!(!out.lines().chain(told.lines()).any(begins), "{further:?}: {out}{told}");
    }
}

#[test]
fn a_report_replaces_no_input_and_no_other_report() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n";
    let folder = Folder::new("outputs").file("pod.yaml", pod);
    for outputs in [&["-o", "pod.yaml"][..], &["-o", "o.txt", "--report", "markdown=./o.txt"]] {
        let run = folder.run(&[&["check", "pod.yaml"], outputs].concat());
        assert_eq!(run.exit(), Some(2), "{}", run.stderr);
        assert!(run.stderr.contains("would be written over"), "{}", run.stderr);
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("pod.yaml")).unwrap(), pod);
}
