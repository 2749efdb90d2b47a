//! Jobs over the API: listed, withdrawn, tried again, by who may.

use http::StatusCode;
use palisade_runtime::jobs::NewJob;
use palisade_store::Role;
use serde_json::{Value, json};

use super::desk::Desk;

/// A kind that no handler of the server is for, so that its jobs stay as they are.
const KIND: &str = "of-a-test";

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_withdrawn_and_tried_again() {
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    let id = desk.store.enqueue_job(&NewJob::new(KIND, json!({"secret": "x"}))).await.unwrap();
    desk.store.enqueue_job(&NewJob::new(KIND, Value::Null)).await.unwrap();

    let first = desk.get(&format!("/api/v1/jobs?kind={KIND}&limit=1"), &admin).await;
    assert_eq!(first.items().len(), 1);
    assert!(first.json()["next"].is_string() || first.json()["next_cursor"].is_string(), "{first:?}");
    let shown = desk.get(&format!("/api/v1/jobs/{id}"), &admin).await.json();
    assert_eq!((&shown["state"], &shown["payload"]), (&json!("waiting"), &Value::Null));

    let (cancel, retry) = (format!("/api/v1/jobs/{id}/cancel"), format!("/api/v1/jobs/{id}/retry"));
    assert_eq!(desk.post(&retry, &admin, &Value::Null).await.problem(), "conflict", "it waits already");
    assert_eq!(desk.post(&cancel, &admin, &Value::Null).await.json()["state"], "cancelled");
    assert_eq!(desk.post(&cancel, &admin, &Value::Null).await.problem(), "conflict");
    let cancelled = desk.get(&format!("/api/v1/jobs?kind={KIND}&state=cancelled"), &admin).await.items();
    assert_eq!(cancelled.len(), 1);
    let again = desk.post(&retry, &admin, &Value::Null).await.json();
    assert_eq!((&again["state"], &again["ended_at"]), (&json!("waiting"), &Value::Null));
    let audited = desk.get("/api/v1/audit?action=job.retry", &admin).await.items();
    assert_eq!(audited[0]["object"], id);

    let unknown = "/api/v1/jobs/00000000-0000-7000-8000-000000000000/cancel";
    assert_eq!(desk.post(unknown, &admin, &Value::Null).await.status, StatusCode::NOT_FOUND);
    let viewer = desk.token("viewer", Role::Viewer, None).await;
    assert_eq!(desk.get("/api/v1/jobs", &viewer).await.status, StatusCode::FORBIDDEN);
}
