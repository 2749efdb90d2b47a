//! Reviews that are well formed: verdicts, failure policies, records, the exchange of rules.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use palisade_server::{Clock, Outside, Server, Wiring};
use palisade_store::{DecisionFilter, Page};

use crate::post::{Client, Folder, Loader, config, metric, review, start, start_at};

#[tokio::test(flavor = "multi_thread")]
async fn good_passes_bad_is_denied_and_both_are_on_record() {
    let folder = Folder::new();
    let server = start(config(&folder)).await;
    let mut client = Client::connect(server.addresses().plain.unwrap()).await;
    let good = client.post("/validate?timeout=10s", &review("u-1", "well")).await;
    assert!(good.allowed() && good.response()["uid"] == "u-1");
    let bad = client.post("/validate", &review("u-2", "badly")).await;
    let message = bad.response()["status"]["message"].as_str().unwrap().to_owned();
    assert!(!bad.allowed() && message.contains("`badly` is no way to behave"), "{message}");
    assert!(client.post("/mutate", &review("u-3", "well")).await.allowed());
    let decisions = recorded(&server, 2).await;
    let (denied, allowed): (Vec<_>, Vec<_>) = decisions.iter().partition(|decision| !decision.allowed);
    assert_eq!((denied[0].name.as_str(), allowed[0].name.as_str()), ("u-2", "u-1"));
    assert_eq!(denied[0].findings.len(), 2, "one of each policy");
    let reviews = r#"palisade_admission_reviews_total{endpoint="validate",operation="CREATE",outcome="denied"}"#;
    assert_eq!(metric(&server, reviews).await, 1.0);
    assert_eq!(metric(&server, "palisade_journal_pending_bytes").await, 0.0);
    server.stop().await;
}

/// The decisions of the store, once there are so many.
async fn recorded(server: &Server, number: usize) -> Vec<palisade_store::DecisionRecord> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let listed =
            server.context().store.list_decisions(&DecisionFilter::default(), &Page::first(500)).await.unwrap();
        if listed.items.len() >= number || tokio::time::Instant::now() > deadline {
            assert_eq!(listed.items.len(), number);
            return listed.items;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_path_names_the_policies_that_are_asked() {
    let folder = Folder::new();
    let server = start(config(&folder)).await;
    let mut client = Client::connect(server.addresses().plain.unwrap()).await;
    for (path, findings) in [("/validate/fail", 1), ("/validate/ignore", 1), ("/validate", 2)] {
        let answer = client.post(path, &review(path.trim_matches('/'), "badly")).await;
        let message = answer.response()["status"]["message"].to_string();
        assert_eq!(message.matches("no way to behave").count(), findings, "{path}: {message}");
    }
    assert_eq!(client.post("/validate/elsewhere", "{}").await.status, 404);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_exchanged_during_the_load_without_a_lost_answer() {
    let folder = Folder::new();
    let version = Arc::new(AtomicU32::new(0));
    let loader = Box::new(Loader(version.clone()));
    let wiring = Wiring { loader, inventory: None, outside: Outside::default(), clock: Clock::system() };
    let server = Server::start(config(&folder), wiring).await.unwrap();
    let mut ready = server.context().health.readiness();
    ready.wait_for(|ready| *ready).await.unwrap();
    let address = server.addresses().plain.unwrap();
    let clients = (0..8).map(|number| {
        tokio::spawn(async move {
            let mut client = Client::connect(address).await;
            for round in 0..100 {
                let (uid, bad) = (format!("u-{number}-{round}"), round % 2 == 1);
                let answer = client.post("/validate", &review(&uid, if bad { "badly" } else { "well" })).await;
                assert_eq!((answer.response()["uid"].as_str(), answer.allowed()), (Some(&*uid), !bad));
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    let digest = |server: &Server| server.context().ruleset().digest.clone();
    let (first, mut rulesets) = (digest(&server), server.context().rulesets.clone());
    for round in 1..4 {
        version.store(round, Ordering::Relaxed);
        rulesets.changed().await.unwrap();
    }
    for client in clients {
        client.await.unwrap();
    }
    assert_ne!(digest(&server), first);
    recorded_in_pages(&server, 800).await;
    server.stop().await;
}

/// Waits until the store has counted so many decisions.
async fn recorded_in_pages(server: &Server, number: u64) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let by = palisade_store::DecisionGroup::Kind;
        let counts = server.context().store.count_decisions(&DecisionFilter::default(), by).await.unwrap();
        let found: u64 = counts.iter().map(|count| count.allowed + count.denied).sum();
        if found == number {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{found} of {number}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_neither_stops_nor_hurries_anything() {
    let folder = Folder::new();
    let hours = Arc::new(AtomicU32::new(0));
    let turned = hours.clone();
    let clock = Clock::new(move || {
        let shift = jiff::SignedDuration::from_hours(i64::from(turned.load(Ordering::Relaxed)) - 1000);
        jiff::Timestamp::now() + shift
    });
    let server = start_at(config(&folder), clock).await;
    let mut client = Client::connect(server.addresses().plain.unwrap()).await;
    for (number, hour) in [1000, 0, 2000, 500].into_iter().enumerate() {
        hours.store(hour, Ordering::Relaxed);
        assert!(client.post("/validate", &review(&format!("u-{number}"), "well")).await.allowed());
    }
    recorded(&server, 4).await;
    assert!(server.context().health.is_ready());
    server.stop().await;
}
