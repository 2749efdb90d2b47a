//! API tokens: forged, truncated, revoked, outlived, worth more than their maker.

use super::*;

const SESSION: &str = "/api/v1/session";

async fn status(world: &World, authorization: &str) -> StatusCode {
    world.get(SESSION, &[("authorization", authorization)]).await.status
}

#[tokio::test]
async fn a_token_works_until_it_is_revoked_or_ends() {
    let world = World::new().await;
    let (_, cookie) = world.person("ann", &[(Role::Operator, Some("shop"))]).await;
    let token = world.token(&cookie, "developer", "shop").await;
    let me = world.get(SESSION, &[("authorization", &bearer(&token))]).await.json();
    assert_eq!((&me["method"], &me["roles"]), (&json!("token"), &json!([{"team": "shop", "role": "developer"}])));
    assert_eq!(status(&world, &format!("bearer {token}")).await, StatusCode::OK);

    let listed = world.get("/api/v1/tokens", &own(&cookie)).await;
    assert!(!listed.text.contains(&token), "{listed:?}");
    let items = listed.json()["items"].clone();
    assert!(items[0]["last_used_at"].is_string(), "{items}");
    let id = items[0]["id"].as_str().unwrap().to_owned();
    let revoked = world.call(Method::DELETE, &format!("/api/v1/tokens/{id}"), &own(&cookie), None).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    assert_eq!(status(&world, &bearer(&token)).await, StatusCode::UNAUTHORIZED);

    let expires_at = world.time() + SignedDuration::from_mins(5);
    let body = json!({"name": "short", "role": "viewer", "team": "shop", "expires_at": expires_at.to_string()});
    let short = world.call(Method::POST, "/api/v1/tokens", &own(&cookie), Some(body)).await.json();
    let short = bearer(short["secret"].as_str().unwrap());
    assert_eq!(status(&world, &short).await, StatusCode::OK);
    world.pass(SignedDuration::from_mins(6));
    assert_eq!(status(&world, &short).await, StatusCode::UNAUTHORIZED);
    assert_eq!(world.audit("token.create").await.len(), 2);
    assert_eq!(world.audit("token.revoke").await.len(), 1);
}

#[tokio::test]
async fn forged_truncated_and_misplaced_tokens_let_nobody_in() {
    let world = World::new().await;
    let (_, cookie) = world.person("ann", &[(Role::Admin, None)]).await;
    let token = world.token(&cookie, "admin", "*").await;
    let unknown = Secret::generate(Kind::Token).unwrap();
    let long = "x".repeat(60_000);
    let wrong = [
        bearer(unknown.expose()),
        bearer(&token[..token.len() - 1]),
        bearer(&token[4..]),
        bearer(&format!("{token} {token}")),
        bearer(&token.to_ascii_uppercase()),
        format!("Basic {token}"),
        format!("Token {token}"),
        token.clone(),
        format!("Bearer{token}"),
        bearer(""),
        bearer(&long),
        bearer(cookie.split_once('=').unwrap().1),
    ];
    for authorization in &wrong {
        let shown = &authorization[..authorization.len().min(80)];
        assert_eq!(status(&world, authorization).await, StatusCode::UNAUTHORIZED, "{shown}");
    }
    let twice = [("authorization", bearer(&token)), ("authorization", bearer(&token))];
    let twice = twice.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(world.get(SESSION, &twice).await.status, StatusCode::UNAUTHORIZED);
    // A wrong token is not forgiven because of a good cookie.
    let both = [("authorization", wrong[0].as_str()), ("cookie", cookie.as_str())];
    assert_eq!(world.get(SESSION, &both).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_is_never_worth_more_than_its_maker() {
    let world = World::new().await;
    let (id, cookie) = world.person("ann", &[(Role::Operator, Some("shop"))]).await;
    let make = async |headers: &[(&str, &str)], role: &str, team: &str| {
        let body = json!({"name": "test", "role": role, "team": team});
        world.call(Method::POST, "/api/v1/tokens", headers, Some(body)).await.status
    };
    for (role, team) in [("operator", "*"), ("admin", "shop"), ("approver", "shop"), ("viewer", "pay")] {
        assert_eq!(make(&own(&cookie), role, team).await, StatusCode::FORBIDDEN, "{role} of {team}");
    }
    let token = world.token(&cookie, "operator", "shop").await;
    let header = bearer(&token);
    assert_eq!(make(&[("authorization", &header)], "viewer", "shop").await, StatusCode::FORBIDDEN);

    let binding = RoleBinding { principal: Principal::Account(id), role: Role::Operator, team: Some("shop".into()) };
    assert!(world.store.revoke_role(&binding).await.unwrap());
    let me = world.get(SESSION, &[("authorization", &header)]).await.json();
    assert_eq!(me["roles"], json!([]), "the maker lost the role, the token kept it");
}

#[tokio::test]
async fn tokens_of_a_disabled_account_stop_and_strangers_tokens_do_not_show() {
    let world = World::new().await;
    let (id, cookie) = world.person("ann", &[(Role::Developer, None)]).await;
    let (_, admin) = world.person("admin", &[(Role::Admin, None)]).await;
    let (_, other) = world.person("bob", &[(Role::Developer, None)]).await;
    let token = world.token(&cookie, "developer", "*").await;
    let listed = world.get("/api/v1/tokens", &own(&cookie)).await.json();
    let path = format!("/api/v1/tokens/{}", listed["items"][0]["id"].as_str().unwrap());
    assert_eq!(world.call(Method::DELETE, &path, &own(&other), None).await.status, StatusCode::NOT_FOUND);
    let foreign = format!("/api/v1/tokens?account={id}");
    assert_eq!(world.get(&foreign, &own(&other)).await.status, StatusCode::FORBIDDEN);
    assert_eq!(world.get(&foreign, &own(&admin)).await.json()["items"].as_array().unwrap().len(), 1);

    let change = Some(json!({"disabled": true}));
    let account = format!("/api/v1/accounts/{id}");
    assert_eq!(world.call(Method::PATCH, &account, &own(&admin), change).await.status, StatusCode::OK);
    assert_eq!(status(&world, &bearer(&token)).await, StatusCode::UNAUTHORIZED);
    assert_eq!(world.get(SESSION, &own(&cookie)).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn lifetimes_and_bodies_are_checked() {
    let world = World::new().await;
    let (_, cookie) = world.person("ann", &[(Role::Viewer, None)]).await;
    let late = (world.time() + SignedDuration::from_hours(24 * 366)).to_string();
    let past = (world.time() - SignedDuration::from_secs(1)).to_string();
    let bodies = [
        json!({"name": "x", "role": "viewer", "team": "*", "expires_at": late}),
        json!({"name": "x", "role": "viewer", "team": "*", "expires_at": past}),
        json!({"name": "x", "role": "viewer", "team": "*", "expires_at": "tomorrow"}),
        json!({"name": "", "role": "viewer", "team": "*"}),
        json!({"name": "x\u{0}", "role": "viewer", "team": "*"}),
        json!({"name": "x", "role": "root", "team": "*"}),
        json!({"name": "x", "role": "viewer", "team": "*", "scopes": []}),
        json!([]),
    ];
    for body in bodies {
        let answer = world.call(Method::POST, "/api/v1/tokens", &own(&cookie), Some(body.clone())).await;
        assert_eq!((answer.status, answer.kind().as_str()), (StatusCode::BAD_REQUEST, "invalid"), "{body}");
    }
}

#[tokio::test]
async fn who_tries_many_tokens_has_to_wait_and_others_do_not() {
    let world = World::new().await;
    let mut last = StatusCode::OK;
    for _ in 0..21 {
        let guess = Secret::generate(Kind::Token).unwrap();
        last = status(&world, &bearer(guess.expose())).await;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    let (_, cookie) = world.person("ann", &[(Role::Viewer, None)]).await;
    let mut elsewhere = request(Method::GET, SESSION, &own(&cookie), None);
    elsewhere.extensions_mut().get_mut::<Peer>().unwrap().address = "192.0.2.1:1".parse().unwrap();
    assert_eq!(world.send(elsewhere).await.status, StatusCode::OK);
}
