//! Sessions: stolen, expired, fixed in advance, abused by other sites.

use super::*;

const SESSION: &str = "/api/v1/session";

#[tokio::test]
async fn a_session_ends_at_logout_and_its_cookie_is_worth_nothing_then() {
    let world = World::new().await;
    let (id, cookie) = world.person("ann", &[(Role::Viewer, None)]).await;
    let me = world.get(SESSION, &own(&cookie)).await;
    assert_eq!((me.status, me.json()["id"].as_str()), (StatusCode::OK, Some(id.as_str())));
    assert_eq!(me.json()["permissions"], json!(["own-session", "own-tokens", "read"]));

    let out = world.call(Method::DELETE, SESSION, &own(&cookie), None).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    let stolen = world.get(SESSION, &own(&cookie)).await;
    assert_eq!(stolen.status, StatusCode::UNAUTHORIZED);
    let forgets = stolen.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(forgets.starts_with("__Host-palisade-session=; ") && forgets.contains("Max-Age=0"), "{forgets}");
    assert_eq!(world.audit("session.end").await.len(), 1);
    assert!(world.audit("authenticate").await.iter().any(|entry| !entry.allowed));
}

#[tokio::test]
async fn sessions_end_by_idleness_and_at_their_latest() {
    let world = World::new().await;
    let (_, idle) = world.person("idle", &[(Role::Viewer, None)]).await;
    let (_, busy) = world.person("busy", &[(Role::Viewer, None)]).await;
    for hour in 1..=13 {
        world.pass(SignedDuration::from_hours(1));
        let answer = world.get(SESSION, &own(&busy)).await;
        assert_eq!(answer.status.is_success(), hour < 12, "after {hour} hours of use");
    }
    assert_eq!(world.get(SESSION, &own(&idle)).await.status, StatusCode::UNAUTHORIZED);

    let (_, idle) = world.person("idle", &[(Role::Viewer, None)]).await;
    world.pass(SignedDuration::from_mins(121));
    assert_eq!(world.get(SESSION, &own(&idle)).await.status, StatusCode::UNAUTHORIZED);
    // Once found idle it stays ended, whatever happens to the clock.
    world.pass(SignedDuration::from_mins(-60));
    assert_eq!(world.get(SESSION, &own(&idle)).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn other_sites_cannot_use_the_cookie_to_change_anything() {
    let world = World::new().await;
    let (_, cookie) = world.person("ann", &[(Role::Viewer, None)]).await;
    let body = json!({"name": "theirs", "role": "viewer", "team": "*"});
    let attempts: [&[(&str, &str)]; 5] = [
        &[("cookie", &cookie)],
        &[("cookie", &cookie), ("sec-fetch-site", "cross-site")],
        &[("cookie", &cookie), ("sec-fetch-site", "same-site")],
        &[("cookie", &cookie), ("origin", "https://evil.example")],
        &[("cookie", &cookie), ("origin", "null")],
    ];
    for headers in attempts {
        let answer = world.call(Method::POST, "/api/v1/tokens", headers, Some(body.clone())).await;
        assert_eq!((answer.status, answer.kind().as_str()), (StatusCode::FORBIDDEN, "cross-site"), "{headers:?}");
    }
    let home = [("cookie", cookie.as_str()), ("origin", "https://palisade.example.com")];
    assert_eq!(world.call(Method::POST, "/api/v1/tokens", &home, Some(body)).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_login_begins_a_new_session_and_ends_the_one_that_was_there() {
    let world = World::new().await;
    let (id, before) = world.person("ann", &[(Role::Viewer, None)]).await;
    let planted = format!("__Host-palisade-session={}", "A".repeat(43));
    for cookie in [&before, &planted] {
        let account = world.store.account(&id).await.unwrap().unwrap();
        let parts = request(Method::GET, "/", &[("cookie", cookie)], None).into_parts().0;
        let after = world.identity.begin_session(&parts, &account, "test").await.unwrap();
        assert!(!after.to_str().unwrap().starts_with(cookie.as_str()));
        assert_eq!(world.get(SESSION, &own(cookie)).await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn all_sessions_of_an_account_end_at_once() {
    let world = World::new().await;
    let (id, phone) = world.person("ann", &[(Role::Viewer, None)]).await;
    let (_, laptop) = world.person("ann", &[]).await;
    let (_, admin) = world.person("admin", &[(Role::Admin, None)]).await;
    let path = format!("/api/v1/accounts/{id}/sessions");
    assert_eq!(world.call(Method::DELETE, &path, &own(&admin), None).await.status, StatusCode::NO_CONTENT);
    for cookie in [&phone, &laptop] {
        assert_eq!(world.get(SESSION, &own(cookie)).await.status, StatusCode::UNAUTHORIZED);
    }
    let (_, again) = world.person("ann", &[]).await;
    assert_eq!(world.call(Method::DELETE, "/api/v1/sessions", &own(&again), None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.get(SESSION, &own(&again)).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(world.get(SESSION, &own(&admin)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn strange_cookies_and_huge_headers_let_nobody_in() {
    let world = World::new().await;
    let (_, cookie) = world.person("ann", &[(Role::Admin, None)]).await;
    let value = cookie.split_once('=').unwrap().1.to_owned();
    let name = "__Host-palisade-session";
    let long = "x".repeat(60_000);
    let strange = [
        format!("{name}={}", &value[..42]),
        format!("{name}={value}0"),
        format!("{name}={long}"),
        format!("{name}="),
        format!("palisade-session={value}"),
        format!("{name}={value}; {name}={value}"),
        format!("a={long}; {name}={value}"),
        format!("{name}={}", value.to_ascii_lowercase()),
    ];
    for cookie in &strange {
        let answer = world.get(SESSION, &own(cookie)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", &cookie[..cookie.len().min(100)]);
    }
    assert_eq!(world.get(SESSION, &own(&cookie)).await.status, StatusCode::OK);
}
