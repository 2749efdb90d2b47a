//! What an older version kept is there after an upgrade.

use palisade_store::{
    AccountFilter, AuditFilter, DecisionFilter, DecisionGroup, ExceptionFilter, FindingFilter, FindingState,
    Idempotency, IdempotencyKey, Page, PolicyFilter, Principal, ResourceFilter, SecretHash, Store, StoreError,
    TokenFilter,
};
use serde_json::{Value, json};

use crate::backups::sealed;
use crate::database::TestDatabase;
use crate::inventory::{at, decision};

/// A database as version 0.1 made it, with rows in every table.
const FIRST: &str = include_str!("../upgrade/0.1.sql");

/// All rows of a backup by table, without the last line.
fn rows(text: &str) -> Vec<(String, Value)> {
    let lines = text.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter_map(|line| Some((line["table"].as_str()?.to_owned(), line["row"].clone()))).collect()
}

pub(crate) async fn a_database_of_the_first_version_loses_nothing(database: &TestDatabase) {
    database.script(FIRST).await;
    let store = database.open().await;
    everything_is_read(&store).await;

    // Every row that was inserted is in a backup, under the name of its table.
    let file = database.folder.0.join("backup");
    store.backup(&file).await.unwrap();
    let kept = rows(&std::fs::read_to_string(&file).unwrap());
    let mut counts = std::collections::BTreeMap::<&str, i32>::new();
    for line in FIRST.lines().filter_map(|line| line.strip_prefix("INSERT INTO ")) {
        let table = line.split(' ').next().unwrap();
        *counts.entry(if table == "settings" { "states" } else { table }).or_default() += 1;
    }
    assert_eq!(counts.remove("migrations"), Some(6));
    for (table, _) in &kept {
        *counts.entry(table).or_default() -= 1;
    }
    assert!(counts.values().all(|count| *count == 0), "inserted minus kept: {counts:?}");

    // It is written to as before.
    store.append_decisions(&[decision(1, 1)]).await.unwrap();
    assert_eq!(store.last_change().await.unwrap(), 4);
}

/// Each noun, through the methods that the server uses.
async fn everything_is_read(store: &Store) {
    let page = Page::default();
    // A minute after the times of the fixture.
    let now = at(-9_999_940);
    let decisions = store.list_decisions(&DecisionFilter::default(), &page).await.unwrap().items;
    assert_eq!((decisions[0].findings.len(), decisions[0].counts.fail, decisions[0].duration_us), (1, 1, 42));
    let by_policy = store.count_decisions(&DecisionFilter::default(), DecisionGroup::Policy).await.unwrap();
    assert_eq!((&*by_policy[0].key, by_policy[0].denied), ("images", 1));
    let filter = FindingFilter { state: FindingState::All, ..FindingFilter::default() };
    let findings = store.list_findings(&filter, &page).await.unwrap().items;
    assert_eq!(findings.iter().map(|finding| &*finding.id).collect::<Vec<_>>(), ["f2", "f1"]);
    assert_eq!(findings[1].finding.controls.len(), 1);
    assert_eq!((&*findings[1].resource.part, findings[1].finding.facts.len()), ("", 0));
    let resources = store.list_resources(&ResourceFilter::default(), &page).await.unwrap().items;
    assert_eq!((&*resources[0].address.name, resources[0].counts.skip), ("it's ours", 4));
    assert_eq!(store.list_policies(&PolicyFilter::default(), &page).await.unwrap().items.len(), 1);
    assert_eq!(store.list_policy_versions("p1", &page).await.unwrap().items[0].content, "kind: ClusterPolicy\n");
    assert_eq!(store.list_exceptions(&ExceptionFilter::default(), &page).await.unwrap().items.len(), 1);
    assert_eq!(store.exceptions_in_force(now).await.unwrap()[0].note.as_deref(), Some("fine"));
    assert_eq!(store.list_teams(&page).await.unwrap().items[0].name, "red");
    assert_eq!(store.list_services(None, &page).await.unwrap().items[0].selector, json!({ "namespaces": ["shop"] }));
    assert_eq!(store.list_entities(None, &page).await.unwrap().items.len(), 1);
    assert_eq!(store.list_audit(&AuditFilter::default(), &page).await.unwrap().items[0].details["note"], "fine");
    let accounts = store.list_accounts(&AccountFilter::default(), &page).await.unwrap().items;
    assert_eq!(accounts[0].groups, ["dev"]);
    let roles = store.roles_of("a1", &["dev".to_owned()]).await.unwrap();
    assert!(roles.len() == 2 && roles.iter().any(|role| role.principal == Principal::Group("dev".into())));
    assert!(store.has_administrator().await.unwrap());
    assert!(store.live_session(&SecretHash::of("cookie"), now).await.unwrap().is_some());
    assert!(store.live_token(&SecretHash::of("token"), now).await.unwrap().is_some());
    assert_eq!(store.list_tokens(&TokenFilter::default(), &page).await.unwrap().items[0].name, "ci");
    assert!(store.live_agent(&"0123456789abcdef".repeat(4), now).await.unwrap().is_some());
    assert!(store.take_login_state(&SecretHash::of("state"), now).await.unwrap().is_some());
    store.put_login_state(&SecretHash::of("state"), &json!({ "nonce": "n" }), at(-9_000_000), now).await.unwrap();
    let lease = store.acquire_lock("leader", "two", std::time::Duration::from_secs(1)).await.unwrap().unwrap();
    assert_eq!(lease.fence, 10, "the lock that expired changed hands");
    let key = IdempotencyKey { caller: "ada".into(), route: "POST /api/v1/exceptions".into(), key: "k".into() };
    let known = store.begin_request(&key, "d", at(-9_000_000), now).await.unwrap();
    assert_eq!(known, Idempotency::Answered { status: 201, body: "{}".into() });
    assert_eq!(store.changes_after(0, 10).await.unwrap().len(), 3);
    assert_eq!(store.last_change().await.unwrap(), 3);
    the_memory_is_taken_over(store).await;
}

/// What controllers kept among the settings is theirs alone now; what somebody else wrote there is kept.
async fn the_memory_is_taken_over(store: &Store) {
    assert_eq!(store.state("generate").await.unwrap(), Some(json!({ "known": ["a"] })));
    assert_eq!(store.state("cleanup").await.unwrap(), Some(json!([1])));
    assert_eq!(store.state("setting.banner").await.unwrap(), Some(json!("hello")));
}

pub(crate) async fn a_backup_of_an_older_version_is_restored(database: &TestDatabase) {
    let setting = |name: &str, value: Value| {
        let row =
            json!({ "name": name, "value": value.to_string(), "version": 1, "updated_at": 5, "updated_by": "ada" });
        json!({ "table": "settings", "row": row }).to_string()
    };
    let lines = [
        json!({ "format": "palisade-backup", "schema": 6, "created": "2026-11-30T00:00:00Z" }).to_string(),
        setting("controller.generate", json!({ "known": ["a"] })),
        setting("controller.cleanup", json!([1])),
        setting("banner", json!("hello")),
        json!({ "table": "counters", "row": { "name": "changes", "value": 3 } }).to_string(),
    ];
    let file = database.folder.0.join("older");
    std::fs::write(&file, sealed(&lines)).unwrap();
    assert_eq!(Store::restore(&database.config, &database.folder.0, &file).await.unwrap(), 4);
    let store = database.open().await;
    the_memory_is_taken_over(&store).await;
    assert_eq!(store.last_change().await.unwrap(), 3);
}

pub(crate) async fn a_schema_that_was_changed_by_hand_is_refused(database: &TestDatabase) {
    for (change, back, says) in [
        ("ALTER TABLE teams ADD COLUMN colour TEXT", "ALTER TABLE teams DROP COLUMN colour", "not ours [colour text?]"),
        ("DROP TABLE states", "", "`states`"),
    ] {
        database.open().await.close().await;
        database.script(change).await;
        let refused = Store::open(&database.config, &database.folder.0).await;
        assert!(
            matches!(&refused, Err(StoreError::Corrupt { reason, .. }) if reason.contains(says)),
            "{change}: {refused:?}"
        );
        if !back.is_empty() {
            database.script(back).await;
        }
    }
}
