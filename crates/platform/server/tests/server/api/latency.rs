//! How long lists take among 100,000 findings. Run it in release, with `--ignored --nocapture`.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::desk::{Desk, observed};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement: fills a store with 100,000 findings"]
async fn lists_among_many_findings() {
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    for batch in 0..20 {
        let pods: Vec<_> = (0..100)
            .map(|pod| observed(&format!("team-{}", pod % 20), &format!("pod-{batch}-{pod}"), 50, Timestamp::now()))
            .collect();
        desk.store.record_observations(&pods).await.unwrap();
    }
    for path in [
        "/api/v1/findings?limit=50",
        "/api/v1/findings?limit=50&order=severity",
        "/api/v1/findings?limit=50&team=team-3",
        "/api/v1/findings?limit=50&severity=critical&namespace=ns-team-7",
        "/api/v1/findings?limit=50&text=team-19",
        "/api/v1/findings/counts?by=team",
        "/api/v1/findings/fixes",
        "/api/v1/resources?limit=50",
    ] {
        let mut times = Vec::new();
        for _ in 0..200 {
            let start = Instant::now();
            let answer = desk.get(path, &admin).await;
            times.push(start.elapsed());
            assert!(!answer.items().is_empty(), "{path}");
            if times.iter().sum::<Duration>() > Duration::from_secs(20) {
                break;
            }
        }
        times.sort_unstable();
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
        println!("{path}: p50 {:.2} ms, p99 {:.2} ms", at(0.50), at(0.99));
    }
}
