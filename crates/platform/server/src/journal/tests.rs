use jiff::Timestamp;
use palisade_model::{Checkpoint, VerdictCounts};
use palisade_store::DecisionRecord;

use super::*;

fn decision(number: usize) -> DecisionRecord {
    DecisionRecord {
        id: uuid::Uuid::now_v7().to_string(),
        time: Timestamp::UNIX_EPOCH,
        checkpoint: Checkpoint::Admission,
        operation: "CREATE".into(),
        dry_run: false,
        group: String::new(),
        version: "v1".into(),
        kind: "Pod".into(),
        namespace: "shop".into(),
        name: format!("pod-{number}"),
        uid: String::new(),
        sub_resource: String::new(),
        username: "alice".into(),
        groups: vec!["builders".into()],
        allowed: true,
        message: String::new(),
        warnings: Vec::new(),
        patched: false,
        findings: Vec::new(),
        counts: VerdictCounts { pass: 3, ..VerdictCounts::default() },
        input_digest: "a".repeat(64),
        ruleset_digest: "b".repeat(64),
        team: "shop".into(),
        service: "web".into(),
        duration_us: 120,
    }
}

fn journal(name: &str, max_bytes: u64) -> (Arc<Journal>, PathBuf) {
    let folder = std::env::temp_dir().join(format!("palisade-journal-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    let config = JournalConfig { max_bytes, ..JournalConfig::default() };
    let journal = Journal::open(folder.clone(), config, Arc::default(), Arc::default()).unwrap();
    (journal, folder)
}

fn written(journal: &Journal) -> Vec<DecisionRecord> {
    let files = journal.closed().unwrap();
    let text = files.iter().map(|path| fs::read(path).unwrap()).collect::<Vec<_>>().concat();
    text.split(|byte| *byte == b'\n').filter(|text| !text.is_empty()).map(|text| line::read(text).unwrap()).collect()
}

#[test]
fn plain_allows_are_half_as_long_and_read_back_the_same() {
    let plain = decision(1);
    let line = line::write(&plain).unwrap();
    assert!(line.len() * 3 < serde_json::to_vec(&plain).unwrap().len() * 2, "{}", line.len());
    assert_eq!(line::read(&line).unwrap(), plain);
    let denied = DecisionRecord { allowed: false, message: "no".into(), ..decision(2) };
    assert_eq!(line::read(&line::write(&denied).unwrap()).unwrap(), denied);
}

#[test]
fn a_segment_of_a_killed_process_is_found_and_its_torn_tail_passed_over() {
    let (first, folder) = journal("torn", 1 << 20);
    first.record(&decision(1));
    first.record(&decision(2));
    // The process ends here without closing anything; the last write was cut off.
    let path = first.path(0);
    drop(first);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [&*whole, br#"["torn"#].concat()).unwrap();
    let config = JournalConfig::default();
    let second = Journal::open(folder.clone(), config, Arc::default(), Arc::default()).unwrap();
    second.record(&decision(3));
    assert_eq!(second.closed().unwrap().len(), 2, "the old segment and the new one");
    let text = fs::read(&path).unwrap();
    assert_eq!(text.split(|byte| *byte == b'\n').filter(|line| line::read(line).is_ok()).count(), 2);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn disk_use_is_bounded_and_what_is_dropped_is_told() {
    let (journal, folder) = journal("bounded", 1000);
    (0..10).for_each(|number| journal.record(&decision(number)));
    let kept = written(&journal).len();
    assert!((1..5).contains(&kept), "{kept}");
    assert!(journal.health.report().contains("max-bytes"), "{}", journal.health.report());
    fs::remove_dir_all(folder).unwrap();
}
