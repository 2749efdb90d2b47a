//! Spans arrive at a collector, as part of the trace that the client began.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::lifecycle::{address, prepared, start_tracing, terminate};
use crate::post::{Client, review};

#[tokio::test(flavor = "multi_thread")]
async fn a_review_is_a_span_of_its_clients_trace() {
    let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let received = Arc::new(Mutex::new(Vec::new()));
    tokio::spawn(collect(collector, received.clone()));
    // A process of its own: the subscriber of this one belongs to all tests.
    let folder = prepared();
    let address = address(&folder.0);
    let (mut child, _folder) =
        tokio::task::spawn_blocking(move || (start_tracing(&folder, Some(&endpoint)), folder)).await.unwrap();
    let mut client = Client::connect(address).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let header = format!("traceparent: 00-{trace}-00f067aa0ba902b7-01\r\n");
    assert!(client.post_with("/validate", &header, &review("u-1", "well")).await.allowed());
    let trace: Vec<u8> = (0..16).map(|byte| u8::from_str_radix(&trace[byte * 2..byte * 2 + 2], 16).unwrap()).collect();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    let holds = |part: &[u8]| received.lock().unwrap().windows(part.len()).any(|window| window == part);
    while !(holds(&trace) && holds(b"review")) {
        assert!(tokio::time::Instant::now() < deadline, "no span of the trace arrived");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(holds(b"POST /v1/traces"));
    terminate(&child);
    assert!(child.wait().unwrap().success());
}

/// Keeps everything that it is sent, and is content with it.
async fn collect(listener: TcpListener, received: Arc<Mutex<Vec<u8>>>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let received = received.clone();
        tokio::spawn(async move {
            let mut chunk = [0; 16 << 10];
            while let Ok(length) = stream.read(&mut chunk).await {
                if length == 0 {
                    return;
                }
                received.lock().unwrap().extend_from_slice(&chunk[..length]);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
            }
        });
    }
}
