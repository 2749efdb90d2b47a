//! Clients that mean ill or break: nothing they send gets through, hangs or is told more than it should be.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use jiff::Timestamp;
use palisade_store::Role;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::desk::{Desk, observed};

#[tokio::test(flavor = "multi_thread")]
async fn paths_lead_nowhere_else() {
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    let paths = [
        "/api/v1/backups/..%2f..%2fpalisade.db",
        "/api/v1/backups/%2e%2e%2fpalisade.db",
        "/api/v1/backups/../../palisade.db",
        "/api/v1/backups/..",
        "/api/v1/policies/%00",
        "/api/v1/findings/%ff%fe",
        "/api/v1/exceptions/..%2fa",
        "/api/v1/teams/%0d%0aset-cookie:%20a=b",
        "/api/v1//findings",
        "/api/v1/findings/",
    ];
    for path in paths {
        let answer = desk.get(path, &admin).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}: {answer:?}");
        assert!(!answer.headers.contains_key("set-cookie"));
        answer.problem();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cursors_are_positions_and_nothing_else() {
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    desk.store.record_observations(&[observed("a", "pod", 5, Timestamp::now())]).await.unwrap();
    let given = desk.get("/api/v1/findings?limit=2", &admin).await.json()["next"].as_str().unwrap().to_owned();
    let other = desk.get(&format!("/api/v1/resources?after={given}"), &admin).await;
    assert_eq!(other.problem(), "unknown-cursor", "a cursor of another list");
    let forged = [
        "[]",
        "null",
        "[\"findings\",[]]",
        "[\"findings\",[\"' OR 1=1 --\"]]",
        "[\"findings\",[1,2,3]]",
        "{}",
        "[1,[1]]",
    ];
    for text in forged {
        let cursor = URL_SAFE_NO_PAD.encode(text);
        let answer = desk.get(&format!("/api/v1/findings?after={cursor}"), &admin).await;
        let harmless = answer.status == StatusCode::OK || answer.problem() == "unknown-cursor";
        assert!(harmless, "{text}: {answer:?}");
    }
    let endless = "A".repeat(4000);
    let answer = desk.get(&format!("/api/v1/findings?after={endless}"), &admin).await;
    assert_eq!(answer.problem(), "unknown-cursor");
}

#[tokio::test(flavor = "multi_thread")]
async fn text_never_becomes_sql() {
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    desk.store.record_observations(&[observed("a", "pod", 5, Timestamp::now())]).await.unwrap();
    let texts =
        ["'", "' OR '1'='1", "\"; DROP TABLE findings; --", "%", "_", "\\", "\u{0}", "$1", "?1", "😀", "a'||'b"];
    let filters =
        ["team", "service", "namespace", "kind", "policy", "rule", "text", "source", "fingerprint", "resource"];
    for text in texts {
        let value: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for filter in filters {
            let answer = desk.get(&format!("/api/v1/findings?{filter}={value}"), &admin).await;
            assert_eq!((answer.status, answer.items().len()), (StatusCode::OK, 0), "{filter}={text:?}");
        }
    }
    assert_eq!(desk.get("/api/v1/findings", &admin).await.items().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_rates_are_bounded() {
    let desk = Desk::open_with(|config| config.server.limits.requests_per_second = 5).await;
    let (admin, other) = (desk.admin().await, desk.token("other", Role::Viewer, None).await);
    let huge = desk.get("/api/v1/findings?limit=1000000", &admin).await;
    assert_eq!(huge.problem(), "invalid");
    assert!(huge.headers["ratelimit-policy"].to_str().unwrap().contains("q=10"));
    let mut throttled = 0;
    for _ in 0..40 {
        let answer = desk.get("/api/v1/status", &admin).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            assert_eq!(answer.problem(), "throttled");
            assert!(answer.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
            throttled += 1;
        }
    }
    assert!(throttled > 20, "{throttled}");
    assert_eq!(desk.get("/api/v1/status", &other).await.status, StatusCode::OK, "others are not held up");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_ended() {
    let desk = Desk::open_with(|config| config.server.limits.request_timeout = Duration::from_secs(1)).await;
    let admin = desk.admin().await;
    let mut stream = TcpStream::connect(desk.server.addresses().api).await.unwrap();
    let head = format!(
        "POST /api/v1/evaluate HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {admin}\r\ncontent-type: application/json\r\n\
         content-length: 1000\r\n\r\n{{\"object\""
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("urn:palisade:problem:timeout"), "{answer}");
    assert_eq!(desk.get("/api/v1/status", &admin).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_and_wide_objects_are_answered() {
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    let json = [("content-type", "application/json")];
    let deep = format!("{{\"object\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let answer = desk.send(Method::POST, "/api/v1/evaluate", &admin, &json, &deep).await;
    assert_eq!(answer.problem(), "invalid");
    let wide =
        format!("{{\"object\": {{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"a\": [{}1]}}}}", "1,".repeat(400_000));
    let answer = desk.send(Method::POST, "/api/v1/evaluate", &admin, &json, &wide).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
}
