//! Hostile Rego: programs, data and bundles that would run for ever, fill the memory or leave their folder.

use crate::runner::{Folder, Run};

/// Checks an empty object by a rule `deny` with this body.
fn deny(name: &str, body: &str) -> Run {
    check(name, &format!("package main\n\ndeny contains \"x\" if {{\n{body}\n}}\n"), "{}")
}

fn check(name: &str, policy: &str, input: &str) -> Run {
    let folder = Folder::new(name).file("policy.rego", policy).file("input.json", input);
    folder.run(&["check", "input.json", "-p", "policy.rego"])
}

#[test]
fn runaway_rules_end_at_their_limits_and_are_named() {
    let loops = "xs := numbers.range(1, 4000)\nsome a in xs\nsome b in xs\nsome c in xs\na + b + c == 0";
    deny("rego-loops", loops).ends(2, "steps");
    deny("rego-range", "count(numbers.range(1, 1000000000000)) > 0").ends(2, "policy.rego");
    let doubling: String = (1..60).map(|n| format!("x{n} := concat(\"\", [x{0}, x{0}])\n", n - 1)).collect();
    deny("rego-doubling", &format!("x0 := \"aaaaaaaa\"\n{doubling}x59 == \"\"")).ends(2, "policy.rego");
    let sets: String = (1..40).map(|n| format!("x{n} := [x{0}, x{0}]\n", n - 1)).collect();
    deny("rego-tree", &format!("x0 := [1, 2, 3]\n{sets}count([v | walk(x39, [_, v])]) > 0")).ends(2, "policy.rego");
    deny("rego-width", "count(sprintf(\"%2000000000d\", [1])) > 1000").ends_somehow();
    deny("rego-shift", "bits.lsh(1, 100000000000) > 0").ends(2, "policy.rego");
    deny("rego-exponent", "x := 1e900000 * 1e900000\nx > 0\nx == 1e-900000").ends_somehow();
    deny("rego-pattern", "regex.match(`(a{1000}){1000}`, \"aaaa\")").ends_somehow();
}

#[test]
fn programs_that_are_no_programs_are_refused_with_their_place() {
    for (name, text) in [
        (
            "rego-brackets",
            format!("package main\ndeny contains \"x\" if {{ {}1{} }}", "[".repeat(200_000), "]".repeat(200_000)),
        ),
        ("rego-braces", format!("package main\n{}", "p if { not { ".repeat(50_000))),
        ("rego-not", format!("package main\ndeny contains \"x\" if {{ {} true }}", "not ".repeat(100_000))),
        (
            "rego-else",
            format!("package main\nf(x) := 1 if false {}", "else := 2 if false ".repeat(20_000)) + "\nq := f(f(f(",
        ),
        ("rego-dots", format!("package main\ndeny contains \"x\" if {{ input{} }}", ".a".repeat(300_000)) + "}"),
        ("rego-string", "package main\ndeny contains \"x".into()),
        ("rego-nul", "package main\n\0\ndeny contains \"x\"".into()),
        ("rego-empty", String::new()),
        ("rego-recursion", "package main\np if q\nq if p\ndeny contains \"x\" if p".into()),
        ("rego-unsafe", "package main\ndeny contains x if { not x == 1 }".into()),
        ("rego-unknown", "package main\ndeny contains \"x\" if http.sendd({})".into()),
    ] {
        check(name, &text, "{}").ends(2, "policy.rego");
    }
    let folder = Folder::new("rego-latin").file("policy.rego", b"package main\n# \xe9\n").file("input.json", "{}");
    folder.run(&["check", "input.json", "-p", "policy.rego"]).ends(2, "UTF-8");
}

#[test]
fn large_programs_are_compiled_in_bounded_time() {
    let many: String = (0..20_000).map(|n| format!("deny contains \"{n}\" if input.n == {n}\n")).collect();
    check("rego-many", &format!("package main\n{many}"), "{\"n\": 7}").ends(1, "1 failed");
    let chain: String = (1..2_000).map(|n| format!("r{n} if r{}\n", n - 1)).collect();
    check("rego-chain", &format!("package main\nr0 := true\n{chain}deny contains \"x\" if r1999\n"), "{}")
        .ends_somehow();
}

#[test]
fn bundles_do_not_leave_their_folder_or_burst() {
    let mut folder = Folder::new("rego-bundles").file("input.json", "{}");
    for (name, bytes) in [
        ("traversal", archive("../../escaped.rego", b"package main\n")),
        ("truncated", archive("a.rego", b"package main\n").split_at(40).0.to_vec()),
        ("bomb", archive("data.json", &vec![b' '; 300 << 20])),
        ("noise", b"\x1f\x8b\x08\x00noise and nothing else".to_vec()),
        ("empty", Vec::new()),
    ] {
        let file = format!("{name}.tar.gz");
        folder = folder.file(&file, &bytes);
        folder.run(&["check", "input.json", "-p", &file]).ends(2, &file);
    }
}

/// A gzip-compressed tar archive with one file.
fn archive(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    header.iter_mut().zip(name.bytes()).for_each(|(slot, byte)| *slot = byte);
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    header[156] = b'0';
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let padding = vec![0_u8; content.len().next_multiple_of(512) - content.len() + 1024];
    for part in [&header[..], content, &padding] {
        std::io::Write::write_all(&mut encoder, part).unwrap();
    }
    encoder.finish().unwrap()
}
