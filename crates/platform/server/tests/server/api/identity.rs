//! What stands before every route of the running server, read from the document that it gives of itself.

use http::{Method, StatusCode};
use palisade_store::Role;

use super::desk::Desk;

/// What anybody may ask. A new one is a decision that is made here.
const OPEN: [&str; 7] = [
    "get /auth/login",
    "get /auth/callback",
    "get /auth/first",
    "post /api/v1/agents/enrolments",
    "get /api/v1/openapi.json",
    "get /api/v1/problems",
    "get /api/v1/problems/{code}",
];
/// What a viewer has.
const VIEWER: [&str; 3] = ["own-session", "own-tokens", "read"];

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_refuses_strangers_and_roles_that_are_too_low() {
    let desk = Desk::open().await;
    let viewer = desk.token("viewer", Role::Viewer, Some("shop")).await;
    let document = desk.get("/api/v1/openapi.json", "").await.json();
    let (mut guarded, mut open) = (0, Vec::new());
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = format!("{method} {path}");
            let Some(permission) = operation["x-palisade-permission"].as_str() else {
                open.push(name);
                continue;
            };
            guarded += 1;
            let method: Method = method.to_uppercase().parse().unwrap();
            let path = path.replace(['{', '}'], "");
            let stranger = desk.send(method.clone(), &path, "", &[], "").await;
            assert_eq!(stranger.status, StatusCode::UNAUTHORIZED, "{name}: {stranger:?}");
            if !VIEWER.contains(&permission) {
                let low = desk.send(method, &path, &viewer, &[], "").await;
                assert_eq!((low.status, low.problem().as_str()), (StatusCode::FORBIDDEN, "forbidden"), "{name}");
            }
        }
    }
    assert!(guarded > 40, "{guarded} operations are guarded");
    open.retain(|name| !OPEN.contains(&name.as_str()));
    assert!(open.is_empty(), "open to anybody and not listed: {open:?}");
}
