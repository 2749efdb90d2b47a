//! Exceptions, owners, states, changes and noted actions.

use palisade_store::{
    AuditFilter, Catalogue, CatalogueSize, Claim, ExceptionFilter, ExceptionSelector, ExceptionState, Idempotency,
    IdempotencyKey, NewAuditEntry, NewChange, NewException, Page, Receipt, Ruling, Service, StoreError, Team,
};
use serde_json::json;

use crate::database::TestDatabase;
use crate::inventory::at;

pub(crate) async fn an_exception_is_decided_once(database: &TestDatabase) {
    let store = database.open().await;
    let new = NewException {
        selector: ExceptionSelector { policies: vec!["privileged*".into()], ..ExceptionSelector::default() },
        reason: "the driver needs it".into(),
        owner: "ada".into(),
        team: "red".into(),
        expires_at: at(100),
        requested_by: "ada".into(),
    };
    let asked = store.request_exception(&new, None, at(1)).await.unwrap();
    assert_eq!((asked.state, &asked.selector), (ExceptionState::Requested, &new.selector));
    assert_eq!(store.exceptions_in_force(at(2)).await.unwrap(), []);
    let revoked = store.rule_on_exception(&asked.id, Ruling::Revoke, "bob", None, None, at(2)).await;
    assert!(matches!(revoked, Err(StoreError::Conflict(_))), "{revoked:?}");

    let (approve, reject) = tokio::join!(
        store.rule_on_exception(&asked.id, Ruling::Approve, "bob", Some("until the driver is replaced"), None, at(3)),
        store.rule_on_exception(&asked.id, Ruling::Reject, "eve", None, None, at(3)),
    );
    assert!(approve.is_ok() != reject.is_ok(), "{approve:?} {reject:?}");
    let decided = store.exception(&asked.id).await.unwrap().unwrap();
    assert_eq!(decided.decided_by.as_deref(), Some(if approve.is_ok() { "bob" } else { "eve" }));

    let other = store.request_exception(&new, None, at(4)).await.unwrap();
    store.rule_on_exception(&other.id, Ruling::Approve, "bob", None, None, at(5)).await.unwrap();
    assert!(store.exceptions_in_force(at(99)).await.unwrap().iter().any(|held| held.id == other.id));
    assert_eq!(store.exceptions_in_force(at(100)).await.unwrap(), []);
    store.rule_on_exception(&other.id, Ruling::Revoke, "bob", None, None, at(6)).await.unwrap();
    let late = store.request_exception(&new, None, at(7)).await.unwrap();
    let expired = store.rule_on_exception(&late.id, Ruling::Approve, "bob", None, None, at(100)).await;
    assert!(matches!(expired, Err(StoreError::Conflict(_))), "{expired:?}");
    let missing = store.rule_on_exception("none", Ruling::Approve, "bob", None, None, at(8)).await;
    assert!(matches!(missing, Err(StoreError::NotFound { .. })), "{missing:?}");
    let filter = ExceptionFilter { state: Some(ExceptionState::Requested), ..ExceptionFilter::default() };
    assert_eq!(store.list_exceptions(&filter, &Page::default()).await.unwrap().items, [late]);
}

/// A process that dies after an action leaves either the action with its answer, or neither.
pub(crate) async fn an_exception_and_its_answer_are_kept_together(database: &TestDatabase) {
    let store = database.open().await;
    let new = NewException {
        selector: ExceptionSelector { policies: vec!["once".into()], ..ExceptionSelector::default() },
        reason: "once".into(),
        owner: "ada".into(),
        team: "red".into(),
        expires_at: at(1000),
        requested_by: "ada".into(),
    };
    let key = IdempotencyKey { caller: "ada".into(), route: "POST /exceptions".into(), key: "once".into() };
    let claim = |second| Claim { key: key.clone(), claimed_at: at(second) };
    let begin = async |second| store.begin_request(&key, "digest", at(10_000), at(second)).await.unwrap();
    let audit = NewAuditEntry {
        actor: "ada".into(),
        actor_name: "Ada".into(),
        action: "exception.request".into(),
        object: String::new(),
        team: None,
        allowed: true,
        details: json!(null),
    };
    let ask = async |claim: &Claim| {
        let answer = |exception: &palisade_store::Exception| (201, format!("made {}", exception.id));
        store.request_exception(&new, Some(Receipt { audit: &audit, claim: Some(claim), answer: &answer }), at(5)).await
    };
    let made = async || {
        let listed = store.list_exceptions(&ExceptionFilter::default(), &Page::default()).await.unwrap().items;
        let filter = AuditFilter { action: Some("exception.request".into()), ..AuditFilter::default() };
        let noted = store.list_audit(&filter, &Page::default()).await.unwrap().items;
        let of = |id: &String| noted.iter().filter(|entry| entry.object == *id).count();
        listed.into_iter().filter(|held| held.reason == "once").map(|held| (of(&held.id), held.id)).collect::<Vec<_>>()
    };

    assert_eq!(begin(1).await, Idempotency::New);
    assert_eq!(begin(62).await, Idempotency::New, "the first attempt seems to be dead");
    let late = ask(&claim(1)).await;
    assert!(matches!(late, Err(StoreError::Conflict(_))), "the first attempt is not, and must not act: {late:?}");
    assert_eq!(made().await, []);
    let exception = ask(&claim(62)).await.unwrap();
    // Nothing more is written by this attempt; the next one gets the answer nevertheless.
    let answered = Idempotency::Answered { status: 201, body: format!("made {}", exception.id) };
    assert_eq!(begin(500).await, answered);
    store.abandon_request(&key).await.unwrap();
    store.finish_request(&key, 500, "another").await.unwrap();
    assert_eq!(begin(501).await, answered, "what is answered stays answered");
    assert!(matches!(ask(&claim(62)).await, Err(StoreError::Conflict(_))));
    assert_eq!(made().await, [(1, exception.id)]);
}

pub(crate) async fn catalogues_replace_their_source_only(database: &TestDatabase) {
    let store = database.open().await;
    let team =
        |name: &str| Team { name: name.into(), title: name.into(), contact: String::new(), source: String::new() };
    let service = |name: &str, team: &str| Service {
        name: name.into(),
        team: team.into(),
        title: name.into(),
        system: String::new(),
        lifecycle: "production".into(),
        selector: json!({ "namespaces": [name] }),
        source: String::new(),
    };
    let catalogue = |teams: &[&str], services: &[(&str, &str)]| Catalogue {
        teams: teams.iter().map(|name| team(name)).collect(),
        services: services.iter().map(|(name, owner)| service(name, owner)).collect(),
        entities: Vec::new(),
    };
    store
        .replace_catalogue("git", &catalogue(&["red", "blue"], &[("shop", "red"), ("bank", "blue")]), at(1))
        .await
        .unwrap();
    store.replace_catalogue("api", &catalogue(&["green"], &[]), at(2)).await.unwrap();
    let twice = store.replace_catalogue("api", &catalogue(&["black", "red"], &[]), at(3)).await;
    assert!(matches!(&twice, Err(StoreError::Conflict(reason)) if reason.contains("`red`")), "{twice:?}");
    store.replace_catalogue("git", &catalogue(&["red"], &[("shop", "red")]), at(4)).await.unwrap();
    let teams = store.list_teams(&Page::default()).await.unwrap().items;
    let teams: Vec<_> = teams.iter().map(|team| (team.name.as_str(), team.source.as_str())).collect();
    assert_eq!(teams, [("green", "api"), ("red", "git")]);
    let blue = store.list_services(Some(&["blue".to_owned()]), &Page::default()).await.unwrap().items;
    assert_eq!(blue, []);
    assert_eq!(store.service("shop").await.unwrap().unwrap().selector, json!({ "namespaces": ["shop"] }));
    let size = |source: &str, teams, services| CatalogueSize { source: source.into(), teams, services, entities: 0 };
    let sizes = store.list_catalogues(&Page::first(1)).await.unwrap();
    assert_eq!(sizes.items, [size("api", 1, 0)]);
    let rest = Page { after: sizes.next, ..Page::default() };
    assert_eq!(store.list_catalogues(&rest).await.unwrap().items, [size("git", 1, 1)]);
    assert_eq!(store.catalogue("git").await.unwrap(), Some(size("git", 1, 1)));
    assert_eq!(store.catalogue("none").await.unwrap(), None);
    assert_eq!(store.list_entities(None, &Page::default()).await.unwrap().items, []);
}

pub(crate) async fn a_state_is_what_was_written_last(database: &TestDatabase) {
    let store = database.open().await;
    assert_eq!(store.state("generate").await.unwrap(), None);
    for value in [json!({ "known": [1, 2] }), json!(null)] {
        store.put_state("generate", &value, at(1)).await.unwrap();
        assert_eq!(store.state("generate").await.unwrap(), Some(value));
    }
    assert_eq!(store.state("cleanup").await.unwrap(), None);
}

pub(crate) async fn changes_are_numbered_in_the_order_of_their_commit(database: &TestDatabase) {
    let store = database.open().await;
    let writers = (0..8).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0..20 {
                let body = json!([writer, number]);
                let new = NewChange { topic: "test".into(), team: None, body };
                store.append_changes(&[new.clone(), new], at(1)).await.unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    // A reader that always goes on from where it was must miss nothing.
    let mut seen = Vec::new();
    while seen.len() < 320 {
        let after = seen.last().copied().unwrap_or(0);
        seen.extend(store.changes_after(after, 500).await.unwrap().iter().map(|change| change.id));
        assert!(seen.iter().copied().eq(1..=seen.len() as i64), "{seen:?}");
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!((store.last_change().await.unwrap(), store.oldest_change().await.unwrap()), (320, Some(1)));
    let entry = NewAuditEntry {
        actor: "id".into(),
        actor_name: "Ada".into(),
        action: "exception.approve".into(),
        object: "exception/1".into(),
        team: Some("red".into()),
        allowed: true,
        details: json!({ "note": "yes" }),
    };
    let noted = store.append_audit(&entry, at(5)).await.unwrap();
    let filter = AuditFilter { action: Some("exception.approve".into()), since: Some(at(5)), ..AuditFilter::default() };
    assert_eq!(store.list_audit(&filter, &Page::default()).await.unwrap().items, [noted]);
}
