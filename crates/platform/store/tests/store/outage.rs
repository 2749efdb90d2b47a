//! PostgreSQL stops, crashes, or falls silent: errors come in bounded time, and the pool recovers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade_store::{Store, StoreConfig, StoreError};
use palisade_testkit::Postgres;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::database::{Folder, TestDatabase};
use crate::inventory::decision;

async fn recovers(store: &Store) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Err(error) = store.check().await {
        assert!(Instant::now() < deadline, "the pool never recovered: {error}");
    }
}

async fn unavailable_soon(store: &Store) {
    let began = Instant::now();
    let result = store.append_decisions(&[decision(1, 1)]).await;
    assert!(matches!(result, Err(StoreError::Unavailable { .. })), "{result:?}");
    assert!(began.elapsed() < Duration::from_secs(16), "it took {:?}", began.elapsed());
    assert!(!format!("{result:?}").contains("database-password"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_is_reported_and_found_again() {
    let Ok(server) = Postgres::start() else { return };
    let server = Arc::new(server);
    let database = TestDatabase::on(server.clone()).await;
    let store = database.open().await;
    store.append_decisions(&[decision(0, 1)]).await.unwrap();
    server.stop();
    unavailable_soon(&store).await;
    server.start_again();
    recovers(&store).await;

    // Crash it while decisions are appended: what was acknowledged is there.
    let writer = tokio::spawn({
        let store = store.clone();
        async move {
            let mut number = 100;
            while store.append_decisions(&[decision(number, 1)]).await.is_ok() {
                number += 1;
            }
            number
        }
    });
    let deadline = Instant::now() + Duration::from_secs(30);
    while store.decision("0190-00000150").await.unwrap().is_none() {
        assert!(Instant::now() < deadline, "the writer does not get on");
    }
    server.kill();
    let first_missing = writer.await.unwrap();
    server.start_again();
    recovers(&store).await;
    for number in 100..first_missing {
        assert!(store.decision(&format!("0190-{number:08}")).await.unwrap().is_some(), "decision {number} is missing");
    }
}

/// Forwards to `server` until it is told to fall silent, and again after that.
async fn proxy(listener: TcpListener, server: String, silent: watch::Receiver<bool>) {
    while let Ok((mut client, _)) = listener.accept().await {
        let (server, mut silent) = (server.clone(), silent.clone());
        tokio::spawn(async move {
            silent.wait_for(|silent| !*silent).await.unwrap();
            let Ok(mut upstream) = TcpStream::connect(server).await else { return };
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut client, &mut upstream) => {}
                () = async { silent.wait_for(|silent| *silent).await.unwrap(); } => std::future::pending().await,
            }
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_server_keeps_no_connection() {
    let Ok(server) = Postgres::start() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (silence, silent) = watch::channel(false);
    let (before, after) = server.url().rsplit_once('@').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let (address, name) = after.split_once('/').unwrap();
    tokio::spawn(proxy(listener, address.to_owned(), silent));
    let url = Some(format!("{before}@127.0.0.1:{port}/{name}"));
    let folder = Folder::new();
    let config = StoreConfig { url, max_connections: 2, ..StoreConfig::default() };
    let store = Store::open(&config, &folder.0).await.unwrap();
    store.append_decisions(&[decision(0, 1)]).await.unwrap();
    silence.send(true).unwrap();
    for _ in 0..3 {
        unavailable_soon(&store).await;
    }
    silence.send(false).unwrap();
    recovers(&store).await;
    store.append_decisions(&[decision(2, 1)]).await.unwrap();
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_without_its_password() {
    let folder = Folder::new();
    for url in [
        "postgres://user:hush@127.0.0.1:1/db?sslmode=perhaps",
        "mysql://user:hush@127.0.0.1/db",
        "postgres:hush",
        "hush",
        "sqlite:",
        "sqlite::memory:",
        "sqlite:missing-folder/hush/store.db",
    ] {
        let config = StoreConfig { url: Some(url.into()), ..StoreConfig::default() };
        let error = Store::open(&config, &folder.0).await.unwrap_err();
        let said = format!("{error} {error:?} {config:?}");
        assert!(matches!(error, StoreError::Config(_) | StoreError::Unavailable { .. }), "{url}: {said}");
        assert!(!said.contains("user:hush") && !said.contains("hush@"), "{said}");
    }
}

#[tokio::test]
async fn a_password_file_is_used_and_certificates_are_demanded() {
    let Ok(server) = Postgres::start() else { return };
    let folder = Folder::new();
    std::fs::write(folder.0.join("password"), "database-password\n").unwrap();
    let url = server.url().replace("database-password", "wrong");
    let open = async |url: String, password_file: Option<std::path::PathBuf>| {
        Store::open(&StoreConfig { url: Some(url), password_file, ..StoreConfig::default() }, &folder.0).await
    };
    assert!(open(url.clone(), None).await.is_err());
    open(url.clone(), Some("password".into())).await.unwrap().check().await.unwrap();
    // This server has no certificate, so a client that demands one must not talk to it.
    let refused = open(format!("{url}?sslmode=verify-full"), Some("password".into())).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
}
