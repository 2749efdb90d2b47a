//! Accounts and their roles.

use super::*;

#[tokio::test]
async fn roles_are_given_and_taken_by_another_administrator_at_once() {
    let world = World::new().await;
    let (id, ann) = world.person("ann", &[]).await;
    let (own_id, admin) = world.person("admin", &[(Role::Admin, None)]).await;
    let roles = async |cookie: &str| world.get("/api/v1/session", &own(cookie)).await.json()["roles"].clone();
    assert_eq!(roles(&ann).await, json!([]));

    let path = format!("/api/v1/accounts/{id}/roles/shop/operator");
    assert_eq!(world.call(Method::PUT, &path, &own(&admin), None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(roles(&ann).await, json!([{"team": "shop", "role": "operator"}]));
    let detail = world.get(&format!("/api/v1/accounts/{id}"), &own(&admin)).await.json();
    assert_eq!((&detail["account"]["name"], &detail["roles"]), (&json!("ann"), &roles(&ann).await));
    assert_eq!(world.call(Method::DELETE, &path, &own(&admin), None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.call(Method::DELETE, &path, &own(&admin), None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(roles(&ann).await, json!([]));

    for path in [format!("/api/v1/accounts/{own_id}/roles/shop/viewer"), format!("/api/v1/accounts/{id}/roles/*/root")]
    {
        let answer = world.call(Method::PUT, &path, &own(&admin), None).await;
        assert!(answer.status.is_client_error(), "{path}: {answer:?}");
    }
    let unknown = "/api/v1/accounts/00000000-0000-7000-8000-000000000000/roles/*/viewer";
    assert_eq!(world.call(Method::PUT, unknown, &own(&admin), None).await.status, StatusCode::NOT_FOUND);
    let change = Some(json!({"disabled": true}));
    let myself = format!("/api/v1/accounts/{own_id}");
    assert_eq!(world.call(Method::PATCH, &myself, &own(&admin), change).await.status, StatusCode::FORBIDDEN);
    assert_eq!((world.audit("role.grant").await.len(), world.audit("role.take").await.len()), (1, 1));
}

#[tokio::test]
async fn an_administrator_of_one_team_does_not_manage_accounts() {
    let world = World::new().await;
    let (_, cookie) = world.person("local", &[(Role::Admin, Some("shop"))]).await;
    assert_eq!(world.get("/api/v1/accounts", &own(&cookie)).await.status, StatusCode::FORBIDDEN);
    let (_, cookie) = world.person("admin", &[(Role::Admin, None)]).await;
    let listed = world.get("/api/v1/accounts?disabled=false&limit=1", &own(&cookie)).await;
    assert_eq!(listed.json()["items"].as_array().map(Vec::len), Some(1), "{listed:?}");
    assert!(listed.json()["next"].is_string());
    assert_eq!(world.get("/api/v1/accounts?disabeld=true", &own(&cookie)).await.status, StatusCode::BAD_REQUEST);
}
