//! Jobs of the server: retention comes round by the clock, and removes what is old.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use palisade_server::{Clock, Server};
use palisade_store::NewChange;

use crate::post::{Folder, config, metric, start_at};

async fn until_done(server: &Server, times: f64) {
    let done = r#"palisade_job_attempts_total{kind="retention",result="done"}"#;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while metric(server, done).await < times {
        assert!(tokio::time::Instant::now() < deadline, "retention was not done {times} times");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_comes_round_and_removes_what_is_old() {
    let folder = Folder::new();
    let second = Arc::new(AtomicI64::new(1_900_000_000));
    let dial = second.clone();
    let clock = Clock::new(move || Timestamp::from_second(dial.load(Ordering::Relaxed)).unwrap());
    let server = start_at(config(&folder), clock.clone()).await;
    until_done(&server, 1.0).await;
    let change = NewChange { topic: "tests".into(), team: None, body: serde_json::Value::Null };
    server.context().store.append_changes(&[change], clock.now()).await.unwrap();
    second.fetch_add(4 * 24 * 3600, Ordering::Relaxed);
    until_done(&server, 2.0).await;
    assert_eq!(server.context().store.oldest_change().await.unwrap(), None, "changes stay for three days");
    server.stop().await;
}
