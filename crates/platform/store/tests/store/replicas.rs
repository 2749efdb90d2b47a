//! Several processes at one database: writers, locks, claims, migrations.

use std::time::{Duration, Instant};

use palisade_store::{DecisionFilter, Idempotency, IdempotencyKey, Page, StoreError};

use crate::database::TestDatabase;
use crate::inventory::{at, decision};

pub(crate) async fn two_writers_lose_nothing(database: &TestDatabase) {
    let (one, two) = (database.open().await, database.open().await);
    let mut writers = Vec::new();
    for writer in 0..8_u32 {
        let store = if writer % 2 == 0 { one.clone() } else { two.clone() };
        writers.push(tokio::spawn(async move {
            for number in 0..10 {
                // Every decision is sent by two writers, as when a journal is replayed while others write.
                let number = (writer / 2) * 100 + number * 5;
                let batch: Vec<_> = (number..number + 5).map(|number| decision(number, 1)).collect();
                store.append_decisions(&batch).await.unwrap();
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let listed = two.list_decisions(&DecisionFilter::default(), &Page::first(500)).await.unwrap();
    assert_eq!(listed.items.len(), 200);
}

pub(crate) async fn a_lock_changes_hands_when_it_expires(database: &TestDatabase) {
    let (one, two) = (database.open().await, database.open().await);
    let minute = Duration::from_mins(1);
    let (first, second) = tokio::join!(one.acquire_lock("scan", "a", minute), two.acquire_lock("scan", "b", minute));
    let held: Vec<_> = [first.unwrap(), second.unwrap()].into_iter().flatten().collect();
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].fence, 1);
    assert_eq!(two.lock("scan").await.unwrap(), Some(held[0].clone()));
    assert!(one.release_lock(&held[0]).await.unwrap());
    assert!(!one.release_lock(&held[0]).await.unwrap());

    let lost = one.acquire_lock("scan", "a", Duration::from_millis(400)).await.unwrap().unwrap();
    assert_eq!(lost.fence, 2);
    let renewed = one.renew_lock(&lost, Duration::from_millis(400)).await.unwrap().unwrap();
    assert_eq!(renewed.fence, 2);
    let deadline = Instant::now() + Duration::from_secs(10);
    let taken = loop {
        assert!(Instant::now() < deadline, "the lock never expired");
        match two.acquire_lock("scan", "b", minute).await.unwrap() {
            Some(lease) => break lease,
            None => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    assert_eq!((taken.fence, taken.holder.as_str()), (3, "b"));
    assert_eq!(one.renew_lock(&renewed, minute).await.unwrap(), None);
    assert!(!one.release_lock(&renewed).await.unwrap());
    assert_eq!(two.acquire_lock("scan", "b", minute).await.unwrap().unwrap().fence, 3, "its own lock keeps the fence");
    assert!(one.acquire_lock("other", "a", Duration::MAX).await.unwrap().is_some());
}

pub(crate) async fn a_claim_is_answered_once(database: &TestDatabase) {
    let store = database.open().await;
    let key = IdempotencyKey { caller: "ada".into(), route: "POST /exceptions".into(), key: "k".into() };
    let (one, two) = tokio::join!(
        store.begin_request(&key, "digest", at(1000), at(1)),
        store.begin_request(&key, "digest", at(1000), at(1)),
    );
    let mut both = [one.unwrap(), two.unwrap()];
    both.sort_by_key(|known| *known != Idempotency::New);
    assert_eq!(both, [Idempotency::New, Idempotency::InProgress]);
    assert_eq!(store.begin_request(&key, "other", at(1000), at(2)).await.unwrap(), Idempotency::Mismatch);
    // The first one crashed: after a minute the claim is free.
    assert_eq!(store.begin_request(&key, "digest", at(1000), at(60)).await.unwrap(), Idempotency::InProgress);
    assert_eq!(store.begin_request(&key, "digest", at(1000), at(62)).await.unwrap(), Idempotency::New);
    store.finish_request(&key, 201, "{}").await.unwrap();
    let answered = Idempotency::Answered { status: 201, body: "{}".into() };
    assert_eq!(store.begin_request(&key, "digest", at(1000), at(500)).await.unwrap(), answered);
    assert_eq!(store.begin_request(&key, "other", at(2000), at(1000)).await.unwrap(), Idempotency::New, "expired");
    store.abandon_request(&key).await.unwrap();
    assert_eq!(store.begin_request(&key, "digest", at(2000), at(1001)).await.unwrap(), Idempotency::New);
}

pub(crate) async fn replicas_that_start_together_migrate_once(database: &TestDatabase) {
    let opened = tokio::join!(database.open(), database.open(), database.open(), database.open());
    opened.0.append_decisions(&[decision(1, 1)]).await.unwrap();
    assert!(opened.3.decision("0190-00000001").await.unwrap().is_some());
    opened.2.check().await.unwrap();
}

pub(crate) async fn an_older_schema_is_migrated(database: &TestDatabase) {
    let store = database.open().await;
    store.append_decisions(&[decision(1, 1)]).await.unwrap();
    store.close().await;
    // Back to the schema before two steps.
    database
        .script(
            "DROP TABLE changes; DROP TABLE counters; DROP TABLE idempotency; DROP TABLE locks; \
             DROP TABLE job_steps; DROP TABLE jobs; DELETE FROM migrations WHERE version IN (4, 7)",
        )
        .await;
    let store = database.open().await;
    assert!(store.decision("0190-00000001").await.unwrap().is_some());
    assert!(store.acquire_lock("scan", "a", Duration::from_secs(1)).await.unwrap().is_some());
    assert_eq!(store.last_change().await.unwrap(), 0);
    let job = palisade_runtime::jobs::NewJob::new("a", serde_json::Value::Null);
    assert!(store.job(&store.enqueue_job(&job).await.unwrap()).await.unwrap().is_some());
}

pub(crate) async fn a_database_from_the_future_is_refused(database: &TestDatabase) {
    database.open().await.close().await;
    database.script("INSERT INTO migrations (version, name, digest, applied_at) VALUES (99, 'x', 'y', 0)").await;
    let refused = palisade_store::Store::open(&database.config, &database.folder.0).await;
    assert!(matches!(refused, Err(StoreError::FromTheFuture { found: 99, .. })), "{refused:?}");
    database
        .script("DELETE FROM migrations WHERE version = 99; UPDATE migrations SET digest = 'z' WHERE version = 2")
        .await;
    let refused = palisade_store::Store::open(&database.config, &database.folder.0).await;
    assert!(matches!(refused, Err(StoreError::ForeignMigration { version: 2 })), "{refused:?}");
}
