//! Tests of baselines: what is known, what is new, what is fixed, and damaged files.

use super::*;

fn part(path: &str) -> Part {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(path.bytes()).for_each(|(to, from)| *to = from);
    Part {
        path: path.into(),
        fingerprint: Fingerprint(bytes),
        formerly: Vec::new(),
        shown: path.into(),
        location: None,
    }
}

fn occurrence<'a>(file: &str, parts: &'a [Part]) -> Occurrence<'a> {
    Occurrence { file: file.into(), resource: "Pod web".into(), rule: "images/tag".into(), parts }
}

fn judged(_: &Entry) -> FileState {
    FileState::Judged
}

fn read(text: &str) -> Result<(Baseline, Vec<Diagnostic>), Diagnostic> {
    Baseline::read(&Resource::in_memory(Value::from_json(text).unwrap()))
}

#[test]
fn what_is_written_is_read_again_and_is_a_line_per_entry() {
    let (a, b) = ([part("b")], [part("a")]);
    let found = [occurrence("z.yaml", &a), occurrence("a.yaml", &b), occurrence("z.yaml", &a)];
    let baseline = Baseline::of(&found, &Baseline::default(), &judged);
    let text = baseline.to_json();
    assert_eq!(
        text,
        "{\"schema_version\": \"2\",\n\"findings\": [\n\
         {\"file\":\"a.yaml\",\"resource\":\"Pod web\",\"rule\":\"images/tag\",\"path\":\"a\",\
         \"fingerprint\":\"61000000000000000000000000000000\"},\n\
         {\"file\":\"z.yaml\",\"resource\":\"Pod web\",\"rule\":\"images/tag\",\"path\":\"b\",\
         \"fingerprint\":\"62000000000000000000000000000000\",\"count\":2}\n]}\n"
    );
    assert_eq!(read(&text).unwrap().0, baseline);
    assert_eq!(Baseline::default().to_json(), "{\"schema_version\": \"2\",\n\"findings\": []}\n");
}

#[test]
fn a_copy_of_a_known_mistake_is_new() {
    let parts = [part("x")];
    let baseline = Baseline::of(&[occurrence("dev.yaml", &parts)], &Baseline::default(), &judged);
    let found = [occurrence("staging.yaml", &parts), occurrence("dev.yaml", &parts), occurrence("dev.yaml", &parts)];
    assert_eq!(baseline.compare(&found, &judged).known(), [false, true, false]);
}

#[test]
fn entries_follow_a_file_that_is_gone_and_no_other() {
    let parts = [part("x")];
    let baseline = Baseline::of(&[occurrence("old.yaml", &parts)], &Baseline::default(), &judged);
    let found = [occurrence("new.yaml", &parts)];
    let gone = |entry: &Entry| if &*entry.file == "old.yaml" { FileState::Gone } else { FileState::Judged };
    let renamed = baseline.compare(&found, &gone);
    assert_eq!((renamed.known(), renamed.fixed), (vec![true], Vec::new()));
    assert_eq!(renamed.shrunk, Baseline::of(&found, &Baseline::default(), &judged));
    assert_eq!(baseline.compare(&found, &judged).known(), [false]);
}

#[test]
fn a_finding_is_known_only_in_all_of_its_fields() {
    let (one, two) = ([part("a")], [part("a"), part("b")]);
    let baseline = Baseline::of(&[occurrence("f", &one)], &Baseline::default(), &judged);
    let grown = baseline.compare(&[occurrence("f", &two)], &judged);
    assert_eq!((grown.known(), grown.fixed.len(), grown.shrunk.len()), (vec![false], 0, 1));
    let wide = Baseline::of(&[occurrence("f", &two)], &Baseline::default(), &judged);
    let half = wide.compare(&[occurrence("f", &one)], &judged);
    assert_eq!((half.known(), half.fixed.len(), half.shrunk.len()), (vec![true], 1, 1));
    assert_eq!(&*half.fixed[0].path, "b");
}

#[test]
fn what_was_not_judged_is_neither_fixed_nor_dropped() {
    let parts = [part("x")];
    let baseline = Baseline::of(&[occurrence("a", &parts), occurrence("b", &parts)], &Baseline::default(), &judged);
    let partial = |entry: &Entry| if &*entry.file == "b" { FileState::NotJudged } else { FileState::Judged };
    let comparison = baseline.compare(&[], &partial);
    assert_eq!((comparison.fixed.len(), comparison.shrunk.len()), (1, 1));
    assert_eq!(Baseline::of(&[], &baseline, &partial).len(), 1);
}

#[test]
fn damaged_and_foreign_files_are_refused() {
    for (text, why) in [
        ("[]", "this file is no baseline: it has no `schema_version`"),
        (r#"{"failed_checks":[]}"#, "this file is no baseline: it has no `schema_version`"),
        (r#"{"schema_version":"3"}"#, "version `3` of the baseline format is not known; this program writes `2`"),
        (r#"{"schema_version":"1"}"#, "this file is no baseline: it has no list of `findings`"),
        (r#"{"schema_version":"1","findings":[{}]}"#, "this entry has no `fingerprint`"),
        (
            r#"{"schema_version":"1","findings":[{"fingerprint":"+123456789012345678901234567890a"}]}"#,
            "`+123456789012345678901234567890a` is no fingerprint: expected 32 hexadecimal digits",
        ),
        (
            r#"{"schema_version":"1","findings":[{"fingerprint":"00000000000000000000000000000000","count":0}]}"#,
            "`count` must be a whole number above 0",
        ),
    ] {
        assert_eq!(read(text).unwrap_err().message, why, "{text}");
    }
}

#[test]
fn a_duplicate_does_not_let_another_finding_through() {
    let line = r#"{"file":"a","fingerprint":"78000000000000000000000000000000"}"#;
    let (baseline, diagnostics) = read(&format!(r#"{{"schema_version":"1","findings":[{line},{line}]}}"#)).unwrap();
    assert_eq!((baseline.len(), diagnostics.len()), (1, 1));
    let parts = [part("x")];
    let found = [occurrence("a", &parts), occurrence("a", &parts)];
    assert_eq!(baseline.compare(&found, &judged).known(), [true, false]);
}

#[test]
fn an_entry_of_version_1_covers_what_it_covered_and_that_is_told() {
    let named = |path: &str, former: &[&str]| {
        let formerly = former.iter().map(|path| part(path).fingerprint).collect();
        Part { formerly, ..part(path) }
    };
    let line = |path: &str, count| {
        format!(r#"{{"file":"f","path":"{path}","fingerprint":"{}","count":{count}}}"#, part(path).fingerprint)
    };
    let text =
        |version: u8| format!(r#"{{"schema_version":"{version}","findings":[{},{}]}}"#, line("env", 1), line("b", 1));
    let within = [named("env[A]", &["env", ""]), named("env[B]", &["env", ""])];
    let voices = [named("b", &[]), Part { fingerprint: part("other voice").fingerprint, ..named("b", &["b"]) }];
    let found = [occurrence("f", &within), occurrence("f", &voices)];
    let former = read(&text(1)).unwrap().0.compare(&found, &judged);
    assert_eq!((former.known(), former.vague, former.fixed.len()), (vec![true, false], 2, 0), "a second voice is new");
    assert_eq!(former.shrunk.to_json().matches("\"path\"").count(), 3, "written anew, each element has an entry");
    let exact = read(&text(2)).unwrap().0.compare(&found, &judged);
    assert_eq!((exact.known(), exact.vague), (vec![false, false], 0));
    // What is kept unseen stays what it was.
    let kept = Baseline::of(&[], &read(&text(1)).unwrap().0, &|_| FileState::NotJudged);
    assert_eq!(read(&kept.to_json()).unwrap().0.compare(&found[..1], &judged).known(), [true]);
}
