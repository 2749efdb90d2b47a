//! Logins with an identity provider: a real one, and one that forges.

use palisade_testkit::OidcProvider;

use super::provider::{CLIENT, Provider, SECRET, Signature};
use super::*;

/// Configured for `issuer`, with roles for the groups of the tests.
fn config(issuer: &str, client: &str, secret: &str) -> (IdentityConfig, PathBuf) {
    let file = std::env::temp_dir().join(format!("palisade-client-secret-{}", uuid::Uuid::new_v4()));
    std::fs::write(&file, format!("{secret}\n")).unwrap();
    let text = json!({"oidc": {
        "issuer": issuer, "client-id": client, "client-secret-file": file,
        "roles": [
            {"group": "platform", "role": "operator"},
            {"group": "platform-admins", "role": "admin"},
            {"group": "team-shop", "role": "developer", "team": "shop"},
        ],
    }});
    (serde_json::from_value(text).unwrap(), file)
}

async fn forging() -> (World, Provider) {
    let provider = Provider::start().await;
    let (config, file) = config(&provider.issuer(), CLIENT, SECRET);
    let world = World::with(config).await;
    std::fs::remove_file(file).unwrap();
    (world, provider)
}

/// Begins a login; the address to come back to and the cookie that binds the browser.
async fn begin(world: &World, provider: &Provider, next: &str) -> (String, String) {
    let answer = world.get(&format!("/auth/login?next={next}"), &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
    (provider.consent(answer.location()), answer.cookie("__Host-palisade-login").unwrap())
}

async fn login(world: &World, provider: &Provider) -> Answer {
    let (back, browser) = begin(world, provider, "/").await;
    world.get(&back, &[("cookie", &browser)]).await
}

#[tokio::test]
async fn a_login_gives_the_roles_of_the_groups() {
    let (world, provider) = forging().await;
    let (back, browser) = begin(&world, &provider, "%2Ffindings%3Fteam%3Dshop").await;
    let answer = world.get(&back, &[("cookie", &browser)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
    assert_eq!(answer.location(), "https://palisade.example.com/findings?team=shop");
    let cookie = answer.cookie("__Host-palisade-session").unwrap();
    let me = world.get("/api/v1/session", &own(&cookie)).await.json();
    assert_eq!(me["name"], "Ann");
    assert_eq!(me["roles"], json!([{"team": "*", "role": "operator"}, {"team": "shop", "role": "developer"}]));
    assert_eq!(world.audit("session.begin").await.len(), 1);

    // Groups are those of the last login.
    provider.will_say(Signature::Sound, |claims| claims["groups"] = json!([]));
    let cookie = login(&world, &provider).await.cookie("__Host-palisade-session").unwrap();
    assert_eq!(world.get("/api/v1/session", &own(&cookie)).await.json()["roles"], json!([]));
}

#[tokio::test]
async fn forged_identity_tokens_begin_no_session() {
    let (world, provider) = forging().await;
    let now = world.time().as_second();
    for signature in [Signature::Foreign, Signature::Missing, Signature::Shared] {
        provider.will_say(signature, |_| {});
        let answer = login(&world, &provider).await;
        assert_eq!((answer.status, answer.cookie("session")), (StatusCode::UNAUTHORIZED, None));
    }
    let set = |name: &'static str, value: Value| (name, value);
    let lies = [
        set("exp", json!(now - 61)),
        set("iat", json!(now + 120)),
        set("aud", json!("somebody-else")),
        set("aud", json!([CLIENT, "somebody-else"])),
        set("azp", json!("somebody-else")),
        set("iss", json!("http://127.0.0.1:1")),
        set("nonce", json!("another")),
        set("nonce", Value::Null),
        set("sub", json!("")),
        set("sub", json!("x".repeat(300))),
    ];
    for (claim, value) in lies {
        let told = value.clone();
        provider.will_say(Signature::Sound, move |claims| claims[claim] = told.clone());
        // The limit on failures is another test's.
        let (back, browser) = begin(&world, &provider, "/").await;
        let mut request = request(Method::GET, &back, &[("cookie", &browser)], None);
        let peer = SocketAddr::from(([192, 0, 2, 1 + claim.len() as u8], 1));
        request.extensions_mut().get_mut::<Peer>().unwrap().address = peer;
        let answer = world.send(request).await;
        assert_eq!((answer.status, answer.cookie("session")), (StatusCode::UNAUTHORIZED, None), "{claim}: {value}");
    }
    assert!(
        world
            .store
            .list_accounts(&palisade_store::AccountFilter::default(), &Page::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
    let noted = world.audit("login").await;
    assert_eq!((noted.len(), noted.iter().any(|entry| entry.allowed)), (13, false));

    provider.will_say(Signature::Sound, move |claims| claims["exp"] = json!(now - 30));
    assert_eq!(login(&world, &provider).await.status, StatusCode::SEE_OTHER, "within the clocks' difference");
}

#[tokio::test]
async fn replayed_foreign_and_expired_answers_begin_no_session() {
    let (world, provider) = forging().await;
    let (back, browser) = begin(&world, &provider, "/").await;
    let other = begin(&world, &provider, "/").await.1;
    let refused = async |path: &str, headers: &[(&str, &str)]| {
        let answer = world.get(path, headers).await;
        assert_eq!((answer.status, answer.cookie("session")), (StatusCode::UNAUTHORIZED, None), "{path} {headers:?}");
    };
    // An attacker's answer in a victim's browser, and the other way round.
    refused(&back, &[]).await;
    refused(&back, &[("cookie", &other)]).await;
    refused("/auth/callback?code=the-code", &[("cookie", &browser)]).await;
    refused("/auth/callback?code=the-code&state=guess", &[("cookie", &browser)]).await;
    assert_eq!(provider.counts().0, 0, "a code was exchanged for a login that was not begun");

    // The nonce of the first login is what the provider has to repeat.
    let (back, browser) = begin(&world, &provider, "/").await;
    assert_eq!(world.get(&back, &[("cookie", &browser)]).await.status, StatusCode::SEE_OTHER);
    refused(&back, &[("cookie", &browser)]).await;

    let (back, browser) = begin(&world, &provider, "/").await;
    refused(&format!("{back}&iss=https%3A%2F%2Fevil.example"), &[("cookie", &browser)]).await;
    let (back, browser) = begin(&world, &provider, "/").await;
    refused(&back.replace("code=the-code", "error=access_denied"), &[("cookie", &browser)]).await;
    let (back, browser) = begin(&world, &provider, "/").await;
    world.pass(SignedDuration::from_mins(11));
    refused(&back, &[("cookie", &browser)]).await;
}

#[tokio::test]
async fn a_disabled_account_does_not_log_in() {
    let (world, provider) = forging().await;
    let cookie = login(&world, &provider).await.cookie("session").unwrap();
    let me = world.get("/api/v1/session", &own(&cookie)).await.json();
    world.store.set_account_disabled(me["id"].as_str().unwrap(), true, world.time()).await.unwrap();
    let answer = login(&world, &provider).await;
    assert_eq!((answer.status, answer.cookie("session")), (StatusCode::UNAUTHORIZED, None));
}

#[tokio::test]
async fn changed_keys_are_read_once_and_not_for_every_forgery() {
    let (world, provider) = forging().await;
    assert_eq!(login(&world, &provider).await.status, StatusCode::SEE_OTHER);
    assert_eq!(login(&world, &provider).await.status, StatusCode::SEE_OTHER);
    assert_eq!(provider.counts().1, 1, "keys are kept");
    provider.rotate();
    assert_eq!(login(&world, &provider).await.status, StatusCode::SEE_OTHER);
    assert_eq!(provider.counts().1, 2);
    provider.rotate();
    assert_eq!(login(&world, &provider).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(provider.counts().1, 2, "an unknown key makes the keys be read once a minute at most");
}

#[tokio::test]
async fn a_login_goes_on_at_a_path_of_this_server_only() {
    let world = World::at("https://example.com/palisade", IdentityConfig::default()).await;
    let path = |next: &str| world.identity.local_path(next);
    assert_eq!(path("/findings?team=shop&x=1"), "/findings?team=shop&x=1");
    assert_eq!(path("/a/../b"), "/b");
    let elsewhere = [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "",
        "evil",
        "/\t/evil.example",
        "/%09/evil.example\n",
        "///evil.example",
        "http:evil.example",
    ];
    for next in elsewhere {
        assert_eq!(path(next), "/palisade/", "{next:?}");
    }
    assert_eq!(path(&format!("/{}", "x".repeat(3000))), "/palisade/");
}

#[tokio::test]
async fn a_provider_that_is_away_is_said_so_and_asked_again_later() {
    let (config, file) = config("http://127.0.0.1:9", CLIENT, SECRET);
    let world = World::with(config).await;
    std::fs::remove_file(file).unwrap();
    for _ in 0..3 {
        let answer = world.get("/auth/login", &[]).await;
        assert_eq!((answer.status, answer.kind().as_str()), (StatusCode::BAD_GATEWAY, "provider"));
    }
    let without = World::new().await.get("/auth/login", &[]).await;
    assert_eq!((without.status, without.kind().as_str()), (StatusCode::NOT_FOUND, "not-found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_log_in_with_a_real_provider() {
    let Ok(provider) = OidcProvider::start() else { return };
    let (config, file) = config(provider.issuer(), provider.client_id(), provider.client_secret());
    let world = World::at("http://127.0.0.1:8420", config).await;
    std::fs::remove_file(file).unwrap();
    provider.allow_redirect("http://127.0.0.1:8420/auth/callback");
    let sign_in = async |account: &str| {
        let begun = world.get("/auth/login?next=/findings", &[]).await;
        let back = provider.sign_in(begun.location(), account);
        let back = back.strip_prefix("http://127.0.0.1:8420").unwrap().to_owned();
        let answer = world.get(&back, &[("cookie", &begun.cookie("palisade-login").unwrap())]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{answer:?}");
        assert_eq!(answer.location(), "http://127.0.0.1:8420/findings");
        let cookie = answer.cookie("palisade-session").unwrap();
        world.get("/api/v1/session", &own(&cookie)).await.json()["roles"].clone()
    };
    assert_eq!(sign_in("alice").await, json!([{"team": "*", "role": "admin"}]));
    assert_eq!(sign_in("bob").await, json!([{"team": "shop", "role": "developer"}]));
    assert_eq!(sign_in("dave").await, json!([]));
    provider.restart();
    assert_eq!(sign_in("bob").await, json!([{"team": "shop", "role": "developer"}]), "with new keys");
}
