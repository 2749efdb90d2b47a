//! Backup and restore, within a database and across them.

use std::path::Path;

use palisade_model::Severity;
use palisade_runtime::jobs::{JobStore as _, NewJob, Once};
use palisade_store::{
    DecisionFilter, ExceptionSelector, Login, NewException, NewToken, Page, Role, SecretHash, Store, StoreError,
};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::database::{Folder, TestDatabase};
use crate::inventory::{at, decision, finding, observation};

async fn fill(store: &Store) {
    let batch: Vec<_> = (0..321).map(|number| decision(number, i64::from(number))).collect();
    store.append_decisions(&batch).await.unwrap();
    let found = vec![finding(1, Severity::Low), finding(2, Severity::High)];
    store.record_observations(&[observation("web\n\"'\u{1f600}", 1, found)]).await.unwrap();
    store.record_observations(&[observation("web\n\"'\u{1f600}", 2, vec![finding(1, Severity::Low)])]).await.unwrap();
    let login = Login {
        issuer: "id".into(),
        subject: "ada".into(),
        display_name: "Ada".into(),
        email: None,
        groups: Vec::new(),
    };
    let ada = store.record_login(&login, at(3)).await.unwrap();
    let token = NewToken {
        hash: SecretHash::of("token"),
        name: "ci".into(),
        role: Role::Viewer,
        team: None,
        account_id: Some(ada.id),
        expires_at: at(1000),
    };
    store.create_token(&token, at(4)).await.unwrap();
    let exception = NewException {
        selector: ExceptionSelector::default(),
        reason: "because".into(),
        owner: "ada".into(),
        team: "red".into(),
        expires_at: at(100),
        requested_by: "ada".into(),
    };
    store.request_exception(&exception, None, at(5)).await.unwrap();
    store.enqueue_job(&NewJob { once: Some(Once::Kept("k".into())), ..NewJob::new("a", json!([1])) }).await.unwrap();
    let claimed = store.claim(&["a"], "me", std::time::Duration::from_mins(1)).await.unwrap().unwrap();
    store.begin_step(&claimed.lease, "first", "key").await.unwrap();
    store.put_state("mode", &json!({ "a": [1, null] }), at(6)).await.unwrap();
}

/// All rows of a backup, without the header, which names the time.
fn rows(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines[1..lines.len() - 1].to_vec()
}

pub(crate) async fn a_backup_returns_on_either_database(database: &TestDatabase) {
    let store = database.open().await;
    fill(&store).await;
    let folder = Folder::new();
    let first = folder.0.join("first");
    let written = store.backup(&first).await.unwrap();
    assert_eq!(rows(&first).len() as u64, written);
    assert!(matches!(store.backup(&first).await, Err(StoreError::Backup(_))), "no file is overwritten");

    let mut targets = vec![TestDatabase::sqlite()];
    if let Some(server) = &database.server {
        targets.push(TestDatabase::on(server.clone()).await);
    }
    let mut from = first.clone();
    for (number, target) in targets.iter().enumerate() {
        // Each hands on to the next, so that a backup crosses from PostgreSQL to SQLite and back.
        let restored = Store::restore(&target.config, &target.folder.0, &from).await.unwrap();
        assert_eq!(restored, written);
        let copy = target.open().await;
        assert_eq!(copy.decision("0190-00000320").await.unwrap(), Some(decision(320, 320)));
        assert!(copy.live_token(&SecretHash::of("token"), at(5)).await.unwrap().is_some());
        from = folder.0.join(format!("copy{number}"));
        copy.backup(&from).await.unwrap();
        assert_eq!(rows(&from), rows(&first));
        assert_eq!(copy.last_change().await.unwrap(), store.last_change().await.unwrap());
        let refused = Store::restore(&target.config, &target.folder.0, &first).await;
        assert!(matches!(&refused, Err(StoreError::Backup(reason)) if reason.contains("empty")), "{refused:?}");
        copy.append_decisions(&[decision(5000, 1)]).await.unwrap();
    }
}

/// The lines with a last line that fits them.
pub(crate) fn sealed(lines: &[String]) -> String {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let digest: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{text}{}\n", json!({ "rows": lines.len() - 1, "sha256": digest }))
}

pub(crate) async fn a_damaged_backup_changes_nothing(database: &TestDatabase) {
    let source = TestDatabase::sqlite();
    let store = source.open().await;
    fill(&store).await;
    let file = source.folder.0.join("backup");
    store.backup(&file).await.unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.pop();
    let with = |line: serde_json::Value| sealed(&[lines.clone(), vec![line.to_string()]].concat());
    let injected = json!({ "table": "teams", "row": { "name) VALUES ('x'); --": "x" } });
    let mut newer: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    newer["schema"] = json!(99);
    let newer = newer.to_string();
    for (what, damaged) in [
        ("empty", String::new()),
        ("no backup", "hello\n".to_owned()),
        ("changed", text.replace("pod-17", "pod-18")),
        ("cut off", text[..text.len() / 2].to_owned()),
        ("without its last line", lines.join("\n") + "\n"),
        ("a line less", sealed(&lines).replacen(&format!("{}\n", lines[9]), "", 1)),
        ("an unknown table", with(json!({ "table": "sqlite_master", "row": { "name": "x" } }))),
        ("an unknown column", with(injected)),
        ("a missing column", with(json!({ "table": "teams", "row": { "name": "x" } }))),
        (
            "a foreign key to nothing",
            with(json!({ "table": "decision_policies", "row":
            { "decision_id": "none", "policy": "x", "time": 1 } })),
        ),
        ("from the future", sealed(&[vec![newer], lines[1..].to_vec()].concat())),
    ] {
        std::fs::write(&file, damaged).unwrap();
        let refused = Store::restore(&database.config, &database.folder.0, &file).await;
        assert!(refused.is_err(), "{what}");
    }
    let store = database.open().await;
    assert_eq!(store.list_decisions(&DecisionFilter::default(), &Page::default()).await.unwrap().items, []);
    store.close().await;
    std::fs::write(&file, sealed(&lines)).unwrap();
    Store::restore(&database.config, &database.folder.0, &file).await.unwrap();
}
