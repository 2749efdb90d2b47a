//! Clients and policies that mean no good: the server stays up and answers by its failure policy.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::post::{Client, Folder, config, metric, review, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_panics_or_never_ends_costs_neither_the_server_nor_its_answers() {
    let folder = Folder::new();
    let mut config = config(&folder);
    config.server.admission.workers = Some(2);
    let server = start(config).await;
    let address = server.addresses().plain.unwrap();
    let mut client = Client::connect(address).await;
    let panicked = client.post("/validate", &review("u-1", "panic")).await;
    assert!(!panicked.allowed() && panicked.body.contains("please report this as a bug"), "{panicked:?}");
    let started = Instant::now();
    let stopped = client.post("/validate/fail?timeout=1s", &review("u-2", "long")).await;
    assert!(!stopped.allowed() && started.elapsed() < Duration::from_secs(5), "{stopped:?}");
    // More policies that never come back than there are threads.
    let stuck = (0..4).map(|number| {
        tokio::spawn(async move {
            let mut client = Client::connect(address).await;
            let path = if number % 2 == 0 { "/validate/fail?timeout=1s" } else { "/validate/ignore?timeout=1s" };
            (number, client.post(path, &review(&format!("s-{number}"), "forever")).await)
        })
    });
    for answer in stuck.collect::<Vec<_>>() {
        let (number, answer) = answer.await.unwrap();
        assert_eq!(answer.allowed(), number % 2 == 1, "{answer:?}");
        // On a busy machine a review gets its thread when its time is over: then the engine is the one to say so.
        let told = ["did not answer within", "the time for the request is over"];
        assert!(told.iter().any(|words| answer.body.contains(words)), "{answer:?}");
        assert_eq!(answer.response()["uid"], format!("s-{number}"));
    }
    assert!(client.post("/validate?timeout=10s", &review("u-3", "well")).await.allowed(), "other threads took over");
    let timed_out = r#"palisade_admission_reviews_total{endpoint="validate",operation="",outcome="timed-out"}"#;
    assert!(metric(&server, timed_out).await >= 2.0, "as many as there were threads");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reviews_that_are_none_are_answered_and_forgotten() {
    let folder = Folder::new();
    let server = start(config(&folder)).await;
    let address = server.addresses().plain.unwrap();
    let mut client = Client::connect(address).await;
    let whole = review("u-1", "well");
    let nested = whole.replace(r#""behave":"well""#, &format!(r#""x":{}{}"#, "[".repeat(100_000), "]".repeat(100_000)));
    let bodies =
        ["", "{}", "null", "[]", "\u{0}", &whole[..whole.len() / 2], &nested, &whole.replace("Pod", "\u{fffd}")];
    for body in bodies.iter().take(7) {
        let answer = client.post("/validate", body).await;
        assert!(!answer.allowed(), "{answer:?}");
        assert_eq!(answer.response()["status"]["code"], 400, "{answer:?}");
        assert!(client.post("/validate/ignore", body).await.allowed(), "who ignores failures lets it pass");
    }
    assert_eq!(client.get("/validate").await.status, 405);
    assert!(Client::connect(address).await.post("/validate", &whole).await.allowed());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gigabyte_is_refused_before_it_arrives() {
    let folder = Folder::new();
    let server = start(config(&folder)).await;
    let address = server.addresses().plain.unwrap();
    let mut honest = Client::connect(address).await;
    honest.0.write_all(b"POST /validate HTTP/1.1\r\nhost: test\r\ncontent-length: 1073741824\r\n\r\n").await.unwrap();
    assert_eq!(honest.answer().await.status, 413);
    let mut chunked = Client::connect(address).await;
    chunked.0.write_all(b"POST /validate HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
    let chunk = [b"100000\r\n".to_vec(), vec![b'a'; 1 << 20], b"\r\n".to_vec()].concat();
    let before = metric(&server, "palisade_process_resident_memory_bytes").await;
    let mut sent = 0;
    // The server answers and closes: writing fails long before a gigabyte.
    while sent < 1024 && chunked.0.write_all(&chunk).await.is_ok() {
        sent += 1;
    }
    assert!(sent < 256, "{sent} MiB were taken");
    let after = metric(&server, "palisade_process_resident_memory_bytes").await;
    assert!(after - before < 128.0 * f64::from(1 << 20), "{before} -> {after}");
    assert!(Client::connect(address).await.post("/validate", &review("u-1", "well")).await.allowed());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_trickle_are_cut_off_and_others_served() {
    let folder = Folder::new();
    let mut config = config(&folder);
    config.server.limits.header_timeout = Duration::from_millis(500);
    config.server.limits.connections = 40;
    let server = start(config).await;
    let address = server.addresses().plain.unwrap();
    let mut served = Client::connect(address).await;
    assert!(served.post("/validate", &review("u-1", "well")).await.allowed());
    let slow = (0..30).map(|number| {
        tokio::spawn(async move {
            let mut client = Client::connect(address).await;
            if number % 2 == 0 {
                // The second request of a connection, not only its first.
                assert!(client.post("/validate", &review("u-2", "well")).await.allowed());
            }
            let started = Instant::now();
            let mut end = [0; 1];
            loop {
                let trickled = client.0.write_all(b"P").await;
                let read = tokio::time::timeout(Duration::from_millis(100), client.0.read(&mut end)).await;
                if trickled.is_err() || matches!(read, Ok(Ok(0) | Err(_))) {
                    return started.elapsed();
                }
                assert!(started.elapsed() < Duration::from_secs(30), "it is never cut off");
            }
        })
    });
    let slow: Vec<_> = slow.collect();
    assert!(served.post("/validate", &review("u-3", "well")).await.allowed(), "a good client is served meanwhile");
    for client in slow {
        client.await.unwrap();
    }
    // A body that does not come is bounded by the time-out of the review.
    let mut bodiless = Client::connect(address).await;
    let head = b"POST /validate?timeout=1s HTTP/1.1\r\nhost: test\r\ncontent-length: 100\r\n\r\n{";
    bodiless.0.write_all(head).await.unwrap();
    assert_eq!(bodiless.answer().await.status, 408);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_permitted_are_refused_and_counted() {
    let folder = Folder::new();
    let mut config = config(&folder);
    config.server.limits.connections = 5;
    let server = start(config).await;
    let address = server.addresses().plain.unwrap();
    let mut kept = Vec::new();
    for number in 0..5 {
        let mut client = Client::connect(address).await;
        assert!(client.post("/validate", &review(&format!("u-{number}"), "well")).await.allowed());
        kept.push(client);
    }
    let mut refused = Client::connect(address).await;
    assert!(matches!(refused.0.read(&mut [0; 1]).await, Ok(0) | Err(_)));
    assert!(kept[0].post("/validate", &review("u-9", "well")).await.allowed());
    let counted = metric(&server, r#"palisade_connections_cut_off_total{listener="plain",reason="limit"}"#).await;
    assert_eq!(counted, 1.0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_keeps_nobody_from_being_answered() {
    let folder = Folder::new();
    let mut config = config(&folder);
    config.server.journal.max_bytes = 10;
    let server = start(config).await;
    let mut client = Client::connect(server.addresses().plain.unwrap()).await;
    assert!(client.post("/validate", &review("u-1", "well")).await.allowed());
    assert!(!client.post("/validate", &review("u-2", "badly")).await.allowed());
    let ready = Client::connect(server.addresses().api).await.get("/readyz").await;
    assert_eq!(ready.status, 200);
    assert!(ready.body.contains("[!] journal: decisions are not recorded"), "{}", ready.body);
    assert_eq!(metric(&server, r#"palisade_journal_decisions_total{result="dropped"}"#).await, 2.0);
    server.stop().await;
}
