//! The first administrator's link.

use super::*;

async fn path(world: &World) -> String {
    let mut out = Vec::new();
    world.identity.print_first_link(&mut out).await;
    let text = String::from_utf8(out).unwrap();
    let link = text.lines().find_map(|line| line.trim().strip_prefix("https://palisade.example.com"));
    link.unwrap_or_else(|| panic!("no link in {text:?}")).to_owned()
}

#[tokio::test]
async fn the_link_makes_an_administrator_once() {
    let world = World::new().await;
    let (link, other) = (path(&world).await, path(&world).await);
    let answer = world.get(&link, &[]).await;
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, "https://palisade.example.com/"));
    assert_eq!(answer.headers[header::REFERRER_POLICY], "no-referrer");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let cookie = answer.cookie("__Host-palisade-session").unwrap();
    let me = world.get("/api/v1/session", &own(&cookie)).await.json();
    assert_eq!(me["roles"], json!([{"team": "*", "role": "admin"}]));

    for link in [&link, &other] {
        let again = world.get(link, &[]).await;
        assert_eq!((again.status, again.cookie("session")), (StatusCode::UNAUTHORIZED, None));
    }
    let mut out = Vec::new();
    world.identity.print_first_link(&mut out).await;
    assert!(out.is_empty(), "there is an administrator, and still a link is printed");
    assert_eq!(world.audit("session.begin").await.len(), 1);
    assert_eq!(world.audit("first-link").await.iter().filter(|entry| !entry.allowed).count(), 2);
}

#[tokio::test]
async fn the_link_ends_after_an_hour_and_guesses_are_limited() {
    let world = World::new().await;
    let link = path(&world).await;
    world.pass(SignedDuration::from_mins(61));
    assert_eq!(world.get(&link, &[]).await.status, StatusCode::UNAUTHORIZED);

    let guess = Secret::generate(Kind::FirstLink).unwrap();
    assert!(secret::hash(Kind::FirstLink, guess.expose()).is_some());
    let mut statuses = Vec::new();
    for _ in 0..25 {
        let guess = Secret::generate(Kind::FirstLink).unwrap();
        statuses.push(world.get(&format!("/auth/first?token={}", guess.expose()), &[]).await.status);
    }
    assert_eq!(statuses.first(), Some(&StatusCode::UNAUTHORIZED));
    assert_eq!(statuses.last(), Some(&StatusCode::TOO_MANY_REQUESTS));
}
