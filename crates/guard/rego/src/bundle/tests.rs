use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), bytes: text.as_bytes().to_vec() }
}

fn messages(diagnostics: &[Diagnostic]) -> Vec<&str> {
    diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect()
}

/// The header of an archive's entry.
fn header(name: &str, kind: u8, size: u64) -> [u8; 512] {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    header[148..156].fill(b' ');
    header[156] = kind;
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    header
}

fn tar(entries: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, kind, bytes) in entries {
        tar.extend(header(name, *kind, bytes.len() as u64));
        tar.extend(*bytes);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    gzip(&tar)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn files_are_put_at_their_paths() {
    let manifest = r#"{"revision": "7", "roots": ["roles", "http"], "file_rego_versions": {"/http/old.rego": 0}}"#;
    let archive = tar(&[
        ("/.manifest", b'0', manifest.as_bytes()),
        ("roles/", b'5', b""),
        ("./roles/data.json", b'0', br#"{"max": 1.50}"#),
        ("roles/bindings/data.yaml", b'0', b"- alice\n"),
        ("roles/other.json", b'0', b"not read"),
        ("http/old.rego", b'0', b"package http.old\n\nallow { true }\n"),
        ("http/new.rego", b'0', b"package http\n\nallow if true\n"),
        ("policy.wasm", b'0', b"\0asm"),
    ]);
    let (bundle, diagnostics) = read_archive("b", &archive, &Options::default());
    assert_eq!(messages(&diagnostics), ["`policy.wasm` is not run; its Rego is"]);
    let bundle = bundle.unwrap();
    assert_eq!(bundle.manifest.revision, "7");
    assert_eq!(bundle.data.to_json(), r#"{"roles":{"bindings":["alice"],"max":1.50}}"#);
    let packages: Vec<String> = bundle.modules.iter().map(|module| module.package.join(".")).collect();
    assert_eq!(packages, ["http", "http.old"]);
}

#[test]
fn what_is_outside_of_the_roots_is_refused() {
    let files = vec![
        file(".manifest", r#"{"roots": ["a/b"]}"#),
        file("data.json", r#"{"a": {"b": 1, "c": 2}}"#),
        file("p.rego", "package a\n"),
    ];
    let (bundle, diagnostics) = read_files("b", files, &Options::default());
    assert!(bundle.is_none());
    assert_eq!(
        messages(&diagnostics),
        ["the data at `a/c` is outside of the bundle's roots", "the package `a` is outside of the bundle's roots"]
    );
}

#[test]
fn data_that_differs_is_refused() {
    let files = vec![file("data.json", r#"{"a": {"x": 1}}"#), file("a/data.yaml", "x: 2\n")];
    let (_, diagnostics) = read_files("b", files, &Options::default());
    assert_eq!(messages(&diagnostics), ["the data at `a/x` has a different value in another file"]);
    let read = |name: &str| read_files(name, vec![file("data.json", "{}")], &Options::default()).0.unwrap();
    assert_eq!(messages(&merge(&[read("a"), read("b")]).1), ["the root `` is one of the bundle `a` too"]);
}

#[test]
fn hostile_archives_are_refused() {
    let read = |bytes: &[u8]| {
        let (bundle, diagnostics) = read_archive("b", bytes, &Options::default());
        assert!(bundle.is_none());
        diagnostics.first().unwrap().message.clone()
    };
    assert_eq!(read(b"PK"), "the file is not compressed with gzip");
    assert_eq!(
        read(&tar(&[("../../etc/data.json", b'0', b"{}")])),
        "the path `../../etc/data.json` leads out of the archive"
    );
    assert_eq!(read(&tar(&[("a.rego", b'2', b"")])), "`a.rego` is a link");
    assert_eq!(
        read(&tar(&[("data.json", b'0', b"{}"), ("/data.json", b'0', b"{}")])),
        "the bundle holds `data.json` twice"
    );
    let limits = Limits { max_bytes: 5000, max_files: 1 };
    let limited = |bytes: &[u8]| {
        let (_, diagnostics) = read_archive("b", bytes, &Options { limits, ..Options::default() });
        diagnostics.first().unwrap().message.clone()
    };
    let two = |size: usize| tar(&[("a", b'0', &vec![b' '; size]), ("b", b'0', &vec![b' '; size])]);
    assert_eq!(limited(&two(9)), "the archive holds more than 1 entries");
}

#[test]
fn deltas_are_explained() {
    let (bundle, diagnostics) = read_files("b", vec![file("patch.json", r#"{"data": []}"#)], &Options::default());
    assert!(bundle.is_none());
    assert_eq!(diagnostics[0].code, codes::DELTA);
}

/// What the fuzzer asks of any bytes: a bundle, or an error.
#[test]
fn the_fuzzers_archives_hold() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../fuzz/corpus/bundle");
    let mut read = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        for archive in [&bytes, &gzip(&bytes)] {
            let (bundle, diagnostics) = read_archive("b", archive, &Options::default());
            let refused = diagnostics.iter().any(|diagnostic| diagnostic.level == Level::Error);
            assert_eq!(bundle.is_none(), refused, "{diagnostics:?}");
            read += usize::from(bundle.is_some());
        }
    }
    assert!(read > 3, "only {read} archives are bundles");
}

mod signatures {
    use super::*;

    fn signed_by(secret: &str, changed: &str) -> Vec<File> {
        let listed = r#"{"files":[
            {"name":"a.rego","hash":"a3d2e48d5f5a6fb5e3a2ca9a5b5c4ac8","algorithm":"MD5"},
            {"name":"data.json","hash":"608de49a4600dbb5b173492759792e4a","algorithm":"MD5"}
        ],"scope":"read"}"#;
        let mut signed = listed.to_owned();
        for path in ["a.rego", "data.json"] {
            let text = if path == "a.rego" { "package a\n" } else { r#"{"a":"<&>","b":[1.0,null]}"# };
            let hash = builtin("crypto.md5", &[Value::string(text)]);
            let known =
                if path == "a.rego" { "a3d2e48d5f5a6fb5e3a2ca9a5b5c4ac8" } else { "608de49a4600dbb5b173492759792e4a" };
            signed = signed.replace(known, hash.as_str().unwrap());
        }
        let web_key = format!(
            r#"{{"kty":"oct","k":"{}"}}"#,
            builtin("base64url.encode_no_pad", &[Value::string(secret)]).as_str().unwrap()
        );
        let operands = [r#"{"alg":"HS256","kid":"k"}"#, &signed, &web_key].map(Value::string);
        let token = builtin("io.jwt.encode_sign_raw", &operands);
        vec![
            file(".signatures.json", &format!(r#"{{"signatures":["{}"]}}"#, token.as_str().unwrap())),
            file("a.rego", changed),
            file("data.json", r#"{ "b": [1.0, null], "a": "<&>" }"#),
        ]
    }

    fn builtin(name: &str, operands: &[Value]) -> Value {
        super::super::signature::call(name, operands).unwrap().unwrap()
    }

    fn trusting(scope: &str) -> Options {
        let key = Key { material: "secret".to_owned(), algorithm: "HS256".to_owned() };
        let verification =
            Verification::Signed { keys: BTreeMap::from([("k".to_owned(), key)]), key: None, scope: scope.to_owned() };
        Options { verification, ..Options::default() }
    }

    fn first(files: Vec<File>, options: &Options) -> Option<String> {
        read_files("b", files, options).1.first().map(|diagnostic| diagnostic.message.clone())
    }

    #[test]
    fn what_was_signed_is_read() {
        assert_eq!(first(signed_by("secret", "package a\n"), &trusting("read")), None);
    }

    #[test]
    fn anything_else_is_refused() {
        let whole = || signed_by("secret", "package a\n");
        let refused = |files, options: &Options| first(files, options).unwrap();
        assert_eq!(
            refused(signed_by("other", "package a\n"), &trusting("read")),
            "the signature was not made with the trusted key"
        );
        assert_eq!(
            refused(signed_by("secret", "package b\n"), &trusting("read")),
            "`a.rego` was changed after it was signed"
        );
        assert_eq!(refused(whole(), &trusting("")), "the bundle is signed for the scope `read`, not for ``");
        assert_eq!(
            refused(whole(), &Options::default()),
            "the bundle is signed, but no key is configured to verify it"
        );
        let more = [whole(), vec![file("x.txt", "")]].concat();
        assert_eq!(refused(more, &trusting("read")), "`x.txt` is not signed");
        let fewer: Vec<File> = whole().into_iter().filter(|file| file.path != "a.rego").collect();
        assert_eq!(refused(fewer, &trusting("read")), "`a.rego` is signed, but is not in the bundle");
        let unsigned: Vec<File> = whole().into_iter().filter(|file| file.path != SIGNATURES).collect();
        assert_eq!(refused(unsigned, &trusting("read")), "the bundle is not signed");
    }
}
