//! Accounts, sessions, tokens, agents and logins.

use palisade_store::{
    Login, NewAgent, NewSession, NewToken, Page, Principal, Role, RoleBinding, SecretHash, StoreError, TokenFilter,
};
use serde_json::json;

use crate::database::TestDatabase;
use crate::inventory::at;

fn login(subject: &str) -> Login {
    Login {
        issuer: "https://id.example".into(),
        subject: subject.into(),
        display_name: subject.to_uppercase(),
        email: None,
        groups: vec!["devs".into()],
    }
}

pub(crate) async fn roles_come_from_account_and_groups(database: &TestDatabase) {
    let store = database.open().await;
    let ada = store.record_login(&login("ada"), at(1)).await.unwrap();
    let again = store.record_login(&Login { email: Some("ada@example".into()), ..login("ada") }, at(2)).await.unwrap();
    assert_eq!((&again.id, again.created_at, again.last_login_at), (&ada.id, at(1), at(2)));
    assert_eq!(again.email.as_deref(), Some("ada@example"));
    assert!(!store.has_administrator().await.unwrap());
    let admin = RoleBinding { principal: Principal::Account(ada.id.clone()), role: Role::Admin, team: None };
    let group =
        RoleBinding { principal: Principal::Group("devs".into()), role: Role::Developer, team: Some("red".into()) };
    for binding in [&admin, &admin, &group] {
        store.grant_role(binding, "system", at(3)).await.unwrap();
    }
    assert!(store.has_administrator().await.unwrap());
    assert_eq!(store.roles_of(&ada.id, &[]).await.unwrap(), [admin.clone()]);
    assert_eq!(store.roles_of("somebody", &["ops".into(), "devs".into()]).await.unwrap(), [group.clone()]);
    assert_eq!(store.list_role_bindings(&Page::first(1)).await.unwrap().items, [admin.clone()]);
    let nobody = RoleBinding { principal: Principal::Account("nobody".into()), ..admin.clone() };
    assert!(matches!(store.grant_role(&nobody, "system", at(3)).await, Err(StoreError::NotFound { .. })));
    store.set_account_disabled(&ada.id, true, at(4)).await.unwrap();
    assert!(!store.has_administrator().await.unwrap(), "a disabled account administers nothing");
    assert!(store.record_login(&login("ada"), at(5)).await.unwrap().disabled);
    assert!(store.revoke_role(&admin).await.unwrap());
    assert!(!store.revoke_role(&admin).await.unwrap());
}

pub(crate) async fn sessions_and_tokens_end(database: &TestDatabase) {
    let store = database.open().await;
    let ada = store.record_login(&login("ada"), at(1)).await.unwrap();
    let cookie = |text: &str| SecretHash::of(text);
    let session =
        |hash| NewSession { hash, account_id: ada.id.clone(), expires_at: at(100), user_agent: "test".into() };
    let first = store.create_session(&session(cookie("one")), at(2)).await.unwrap();
    store.create_session(&session(cookie("two")), at(3)).await.unwrap();
    assert!(store.create_session(&session(cookie("two")), at(3)).await.is_err(), "the same cookie twice");
    assert_eq!(store.live_session(&cookie("one"), at(99)).await.unwrap(), Some(first.clone()));
    assert_eq!(store.live_session(&cookie("one"), at(100)).await.unwrap(), None);
    assert_eq!(store.live_session(&cookie("three"), at(4)).await.unwrap(), None);
    store.touch_session(&first.id, at(5)).await.unwrap();
    assert_eq!(store.live_session(&cookie("one"), at(6)).await.unwrap().unwrap().last_seen_at, at(5));
    assert!(store.revoke_session(&first.id, at(6)).await.unwrap());
    assert!(!store.revoke_session(&first.id, at(6)).await.unwrap());
    assert_eq!(store.sessions_of(&ada.id, at(7)).await.unwrap().len(), 1);

    let token = NewToken {
        hash: cookie("token"),
        name: "ci".into(),
        role: Role::Developer,
        team: Some("red".into()),
        account_id: Some(ada.id.clone()),
        expires_at: at(100),
    };
    let made = store.create_token(&token, at(8)).await.unwrap();
    assert_eq!(store.live_token(&cookie("token"), at(9)).await.unwrap(), Some(made.clone()));
    assert_eq!(store.live_token(&cookie("token"), at(100)).await.unwrap(), None);
    assert_eq!(store.list_tokens(&TokenFilter::default(), &Page::default()).await.unwrap().items, [made.clone()]);
    store.set_account_disabled(&ada.id, true, at(10)).await.unwrap();
    assert_eq!(store.live_token(&cookie("token"), at(11)).await.unwrap(), None);
    assert_eq!(store.live_session(&cookie("two"), at(11)).await.unwrap(), None);
    store.set_account_disabled(&ada.id, false, at(12)).await.unwrap();
    assert_eq!(store.live_token(&cookie("token"), at(13)).await.unwrap(), None, "what was revoked stays revoked");
    assert!(!store.revoke_token(&made.id, at(13)).await.unwrap());

    let agent = NewAgent { name: "node-1".into(), fingerprint: "ab".repeat(32), team: None, expires_at: at(100) };
    let admitted = store.create_agent(&agent, at(1)).await.unwrap();
    assert!(matches!(store.create_agent(&agent, at(1)).await, Err(StoreError::Conflict(_))));
    assert_eq!(store.live_agent(&agent.fingerprint, at(2)).await.unwrap(), Some(admitted.clone()));
    assert!(store.revoke_agent(&admitted.id, at(3)).await.unwrap());
    assert_eq!(store.live_agent(&agent.fingerprint, at(4)).await.unwrap(), None);
}

pub(crate) async fn a_login_state_is_taken_once(database: &TestDatabase) {
    let store = database.open().await;
    let state = SecretHash::of("state");
    store.put_login_state(&state, &json!({ "nonce": "n" }), at(100), at(1)).await.unwrap();
    let (one, two) = tokio::join!(store.take_login_state(&state, at(2)), store.take_login_state(&state, at(2)));
    let taken: Vec<_> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].data, json!({ "nonce": "n" }));
    store.put_login_state(&state, &json!(1), at(100), at(1)).await.unwrap();
    assert_eq!(store.take_login_state(&state, at(100)).await.unwrap(), None, "expired");
    assert_eq!(store.take_login_state(&state, at(2)).await.unwrap(), None, "and gone");
}
