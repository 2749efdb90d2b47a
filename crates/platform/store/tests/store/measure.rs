//! How fast decisions are appended; printed, not asserted.

use std::time::Instant;

use crate::database::TestDatabase;
use crate::inventory::{decision, finding, observation};

async fn measure(name: &str, database: &TestDatabase) {
    let store = database.open().await;
    let batches: Vec<Vec<_>> =
        (0..20).map(|batch| (batch * 500..(batch + 1) * 500).map(|number| decision(number, 1)).collect()).collect();
    let began = Instant::now();
    for batch in &batches {
        store.append_decisions(batch).await.unwrap();
    }
    let seconds = began.elapsed().as_secs_f64();
    let observations: Vec<_> = (0..1000)
        .map(|number| {
            let found = (0..3).map(|each| finding(each, palisade_model::Severity::High)).collect();
            observation(&format!("web-{number}"), 1, found)
        })
        .collect();
    let began = Instant::now();
    for chunk in observations.chunks(100) {
        store.record_observations(chunk).await.unwrap();
    }
    let scan = began.elapsed().as_secs_f64();
    let began = Instant::now();
    for number in 0..1000 {
        store.decision(&format!("0190-{number:08}")).await.unwrap();
    }
    let read = began.elapsed().as_secs_f64();
    println!(
        "{name}: {:.0} decisions/s in batches of 500, {:.0} observations/s of 3 findings in batches of 100, \
         {:.0} look-ups/s",
        10_000.0 / seconds,
        1000.0 / scan,
        1000.0 / read
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints figures; run it by name with --nocapture"]
async fn measure_both_databases() {
    measure("SQLite", &TestDatabase::sqlite()).await;
    if let Ok(database) = TestDatabase::postgres().await {
        measure("PostgreSQL", &database).await;
    }
}
