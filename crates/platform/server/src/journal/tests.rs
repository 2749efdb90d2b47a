use jiff::Timestamp;
use palisade_model::{Checkpoint, VerdictCounts};
use palisade_runtime::spool::Codec as _;

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

fn journal(name: &str, max_bytes: u64) -> (Arc<Journal>, Arc<Health>, PathBuf) {
    let folder = std::env::temp_dir().join(format!("palisade-journal-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let config = JournalConfig { max_bytes, ..JournalConfig::default() };
    let health = Arc::new(Health::default());
    let journal = Journal::open(folder.join("journal"), &config, Arc::default(), health.clone()).unwrap();
    (journal, health, folder)
}

fn line(decision: &DecisionRecord) -> Vec<u8> {
    let mut line = Vec::new();
    Line::write(decision, &mut line).unwrap();
    line
}

#[test]
fn plain_allows_are_half_as_long_and_read_back_the_same() {
    let plain = decision(1);
    let written = line(&plain);
    assert!(written.len() * 3 < serde_json::to_vec(&plain).unwrap().len() * 2, "{}", written.len());
    assert_eq!(Line::read(&written).unwrap(), plain);
    let denied = DecisionRecord { allowed: false, message: "no".into(), ..decision(2) };
    assert_eq!(Line::read(&line(&denied)).unwrap(), denied);
}

#[test]
fn disk_use_is_bounded_and_what_is_dropped_is_told() {
    let (journal, health, folder) = journal("bounded", 1000);
    (0..10).for_each(|number| journal.record(&decision(number)));
    assert!(health.report().contains("max-bytes"), "{}", health.report());
    std::fs::remove_dir_all(folder).unwrap();
}

/// What version 0.1 wrote before the spool: both forms of a line, and one that a kill cut off.
const OF_VERSION_0_1: &str = include_str!("of-version-0.1.jsonl");

#[tokio::test]
async fn what_an_older_version_left_is_moved_into_the_store() {
    let folder = std::env::temp_dir().join(format!("palisade-journal-older-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("journal")).unwrap();
    std::fs::write(folder.join("journal/00000000000000000007.jsonl"), OF_VERSION_0_1.trim_end()).unwrap();
    let (metrics, config) = (Arc::new(Metrics::default()), JournalConfig::default());
    let journal = Journal::open(folder.join("journal"), &config, metrics.clone(), Arc::default()).unwrap();
    let store = Store::open(&palisade_store::StoreConfig::default(), &folder).await.unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    stop.cancel();
    journal.mover(store.clone(), Clock::system()).run(stop, std::time::Duration::from_mins(1)).await;
    let plain = store.decision("01980000-0000-7000-8000-000000000001").await.unwrap().unwrap();
    let expected = DecisionRecord { id: plain.id.clone(), ..decision(1) };
    assert_eq!(plain, expected);
    let denied = store.decision("01980000-0000-7000-8000-000000000002").await.unwrap().unwrap();
    assert_eq!((denied.allowed, &*denied.message), (false, "no"));
    assert_eq!(metrics.journal_fate("unreadable"), 1);
    assert_eq!(std::fs::read_dir(folder.join("journal")).unwrap().count(), 0, "what is stored is deleted");
    store.close().await;
    std::fs::remove_dir_all(folder).unwrap();
}
