//! Hostile places: folders, links, permissions, names, and outputs that cannot be written.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::process::Stdio;

use crate::content::{POD, harmless, policy};
use crate::runner::{Folder, watched};

const CHECK: [&str; 4] = ["check", "pod.yaml", "-p", "policy.yaml"];

fn failing() -> String {
    policy("validate: {message: m, pattern: {metadata: {name: other}}}")
}

#[test]
fn a_folder_with_the_name_of_a_file_is_entered() {
    let folder = Folder::new("folder").file("policy.yaml", harmless());
    fs::create_dir(folder.path().join("x.yaml")).unwrap();
    fs::write(folder.path().join("x.yaml/pod.yaml"), POD).unwrap();
    folder.run(&["check", "x.yaml", "-p", "policy.yaml"]).ends(0, "1 resource");
    folder.run(&["check", ".", "-p", "policy.yaml"]).ends(0, "1 resource");
    folder.run(&["check", "x.yaml", "-p", "policy.yaml", "--values", "x.yaml"]).ends(2, "x.yaml");
    folder.run(&["check", "x.yaml", "-p", "policy.yaml", "--config", "x.yaml"]).ends(2, "x.yaml");
}

#[test]
fn links_in_circles_are_reported() {
    let folder = Folder::new("links").file("pod.yaml", POD).file("policy.yaml", harmless());
    symlink("b.yaml", folder.path().join("a.yaml")).unwrap();
    symlink("a.yaml", folder.path().join("b.yaml")).unwrap();
    symlink(".", folder.path().join("here")).unwrap();
    folder.run(&["check", "a.yaml", "pod.yaml", "-p", "policy.yaml"]).ends(2, "a.yaml");
    folder.run(&["check", ".", "-p", "policy.yaml"]).ends(2, "a.yaml");
    fs::remove_file(folder.path().join("a.yaml")).unwrap();
    fs::remove_file(folder.path().join("b.yaml")).unwrap();
    folder.run(&["check", ".", "-p", "policy.yaml"]).ends(0, "1 resource");
}

#[test]
fn what_may_not_be_read_is_reported() {
    let folder =
        Folder::new("permissions").file("pod.yaml", POD).file("secret.yaml", POD).file("policy.yaml", harmless());
    let secret = folder.path().join("secret.yaml");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&secret).is_ok() {
        eprintln!("skipped: this user may read everything");
        return;
    }
    folder.run(&["check", ".", "-p", "policy.yaml"]).ends(2, "secret.yaml");
}

#[test]
fn two_documents_of_one_name_are_both_judged() {
    let other = POD.replace("nginx:1.25", "nginx:latest");
    let images = policy("validate: {message: m, pattern: {spec: {containers: [{image: '!*:latest'}]}}}");
    let folder = Folder::new("same").file("pods.yaml", format!("{POD}---\n{other}")).file("policy.yaml", images);
    folder.run(&["check", "pods.yaml", "-p", "policy.yaml"]).ends(1, "1 passed, 1 failed");
}

#[test]
fn results_that_cannot_be_written_are_reported() {
    let folder = Folder::new("output").file("pod.yaml", POD).file("policy.yaml", failing());
    for (format, file) in [("human", "no/such/folder/x"), ("json", "/dev/full"), ("sarif", ".")] {
        let arguments = [&CHECK[..], &["--format", format, "--output", file]].concat();
        folder.run(&arguments).ends(2, "writing");
        assert!(fs::metadata("/dev/full").unwrap().file_type().is_char_device(), "the device was replaced");
    }
    folder.run(&[&CHECK[..], &["--report", "json=no/such/x"]].concat()).ends(2, "no/such/x");
    folder.run(&[&CHECK[..], &["--output", "/dev/null"]].concat()).ends(1, "1 finding");
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device(), "the device was replaced");
}

/// A full disk behind the standard output is an error; a reader that has gone is not, but findings stay findings.
#[test]
fn a_standard_output_that_takes_nothing_never_passes() {
    let folder = Folder::new("stdout").file("pod.yaml", POD).file("policy.yaml", failing());
    let mut full = folder.command(&CHECK);
    full.stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    watched(&CHECK, full.spawn().unwrap()).ends(2, "writing the result");
    let mut gone = folder.command(&CHECK).spawn().unwrap();
    drop(gone.stdout.take());
    watched(&CHECK, gone).ends(1, "1 finding");
    let mut silent = folder.command(&CHECK);
    silent.stderr(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let silent = watched(&CHECK, silent.spawn().unwrap());
    assert_eq!(silent.exit(), Some(1));
    let broken = folder
        .command(&["check", "missing.yaml", "-p", "policy.yaml"])
        .stderr(fs::OpenOptions::new().write(true).open("/dev/full").unwrap())
        .spawn()
        .unwrap();
    assert_eq!(watched(&CHECK, broken).exit(), Some(2));
}

#[test]
fn the_standard_input_is_as_hostile_as_a_file() {
    let folder = Folder::new("stdin").file("policy.yaml", harmless());
    for (bytes, exit, saying) in [(&b"\xFF\xFE\xFD"[..], 2, "<stdin>"), (b"[[[[", 2, "<stdin>:1"), (b"", 3, "nothing")]
    {
        let arguments = ["check", "-", "-p", "policy.yaml"];
        let mut child = folder.command(&arguments).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(bytes).unwrap();
        watched(&arguments, child).ends(exit, saying);
    }
}
