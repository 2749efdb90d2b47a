//! The same request sent many times acts once.

use std::sync::Arc;

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::desk::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_and_repeated_requests_with_a_key_act_once() {
    let desk = Arc::new(Desk::open().await);
    let admin = desk.admin().await;
    let expires = (Timestamp::now() + SignedDuration::from_hours(48)).to_string();
    let body = |reason: &str| {
        json!({"selector": {"policies": ["labels"]}, "reason": reason, "owner": "shop", "team": "a", "expires_at": expires})
            .to_string()
    };
    let headers = [("content-type", "application/json"), ("idempotency-key", "first")];
    let tasks = (0..16).map(|_| {
        let (desk, admin, body) = (Arc::clone(&desk), admin.clone(), body("once"));
        tokio::spawn(async move { desk.send(Method::POST, "/api/v1/exceptions", &admin, &headers, &body).await })
    });
    let mut made = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        let answer = task.await.unwrap();
        match answer.status {
            StatusCode::CREATED => made.push(answer),
            _ => assert_eq!(answer.problem(), "request-in-progress"),
        }
    }
    assert!(!made.is_empty());
    let replayed = desk.send(Method::POST, "/api/v1/exceptions", &admin, &headers, &body("once")).await;
    assert_eq!(
        (replayed.status, &replayed.headers["idempotency-replayed"]),
        (StatusCode::CREATED, &"true".parse().unwrap())
    );
    assert_eq!(replayed.headers["location"], made[0].headers["location"]);
    assert!(made.iter().all(|answer| answer.text == replayed.text));
    let other = desk.send(Method::POST, "/api/v1/exceptions", &admin, &headers, &body("twice")).await;
    assert_eq!((other.status.as_u16(), other.problem().as_str()), (422, "key-reused"));
    assert_eq!(desk.get("/api/v1/exceptions", &admin).await.items().len(), 1);
    let blank = [("content-type", "application/json"), ("idempotency-key", "with blank")];
    let refused = desk.send(Method::POST, "/api/v1/exceptions", &admin, &blank, &body("once")).await;
    assert_eq!(refused.problem(), "invalid");
}
