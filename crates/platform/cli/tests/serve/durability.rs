//! What was acknowledged is there after a crash, on both databases; a replica may go without a client noticing.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use palisade_testkit::{Postgres, wait_for};
use serde_json::{Value, json};

use crate::server::{Client, Folder, Setup};

/// How long writers write before the crash.
const LOAD: Duration = Duration::from_secs(3);
/// How long a client sends a request again. What a replica was at when it was killed may be taken over after a minute.
const PATIENCE: Duration = Duration::from_secs(90);
/// Writers at a time.
const WRITERS: usize = 4;

fn request(name: &str) -> Value {
    json!({
        "selector": {"policies": [name]}, "reason": "durability", "owner": "test", "team": "orders",
        "expires_at": "2099-01-01T00:00:00Z"
    })
}

/// Writes exceptions to one of `servers` after the other until `stop`; the identifiers that were acknowledged. A request
/// without an answer is sent again, to the next server, under the same key.
fn write(client: &Client, servers: &[u16], writer: usize, stop: &AtomicBool, retry: bool) -> (BTreeSet<String>, usize) {
    let (mut acknowledged, mut failures) = (BTreeSet::new(), 0);
    let mut turn = writer;
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let name = format!("policy-{writer}-{number}");
        let key = format!("key-{writer}-{number}");
        let begun = Instant::now();
        loop {
            turn += 1;
            let server = servers[turn % servers.len()];
            let headers = [("Idempotency-Key", &*key)];
            match client.call(server, "POST", "/api/v1/exceptions", &headers, Some(&request(&name))) {
                Ok((201, answer)) => {
                    acknowledged.insert(answer["id"].as_str().unwrap().to_owned());
                    break;
                }
                Ok((429, _)) => std::thread::sleep(Duration::from_millis(50)),
                _ if retry && begun.elapsed() < PATIENCE => {
                    failures += 1;
                    std::thread::sleep(Duration::from_millis(100));
                }
                // The crash, or an answer that it cut off.
                _ if !retry => break,
                other => panic!("no answer for {name}: {other:?}"),
            }
        }
    }
    (acknowledged, failures)
}

/// Every exception that the server knows.
fn known(client: &Client, server: u16) -> Vec<String> {
    let mut ids = Vec::new();
    let mut path = "/api/v1/exceptions?limit=200".to_owned();
    loop {
        let page = client.get(server, &path);
        ids.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/exceptions?limit=200&after={next}"),
            None => return ids,
        }
    }
}

fn under_load<R>(
    client: &Client,
    servers: &[u16],
    retry: bool,
    meanwhile: impl FnOnce() -> R,
) -> (BTreeSet<String>, usize, R) {
    let stop = Arc::new(AtomicBool::new(false));
    let all = Mutex::new((BTreeSet::new(), 0));
    let result = std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (all, stop) = (&all, &stop);
            scope.spawn(move || {
                let (ids, failures) = write(client, servers, writer, stop, retry);
                let mut all = all.lock().unwrap();
                all.0.extend(ids);
                all.1 += failures;
            });
        }
        let result = meanwhile();
        stop.store(true, Ordering::Relaxed);
        result
    });
    let (ids, failures) = all.into_inner().unwrap();
    (ids, failures, result)
}

fn survives_sigkill(name: &str, store: &str) {
    let folder = Folder::new(name);
    let config = format!("[check]\npolicies = ['pack:kubernetes/baseline']\n[kubernetes]\nenabled = false\n{store}");
    let setup = Setup::new(folder.path(), "server", &config, &[]);
    let mut server = setup.start();
    let client = server.administrator();
    let (acknowledged, _, ()) = under_load(&client, &[setup.api], false, || {
        std::thread::sleep(LOAD);
        server.kill();
    });
    assert!(acknowledged.len() > 20, "only {} writes", acknowledged.len());
    let _again = setup.start();
    let known: BTreeSet<_> = known(&client, setup.api).into_iter().collect();
    let missing: Vec<_> = acknowledged.difference(&known).collect();
    assert!(missing.is_empty(), "{} of {} writes are missing", missing.len(), acknowledged.len());
    eprintln!("{name}: {} acknowledged writes survived SIGKILL", acknowledged.len());
}

#[test]
fn no_acknowledged_write_is_missing_after_sigkill_on_sqlite() {
    survives_sigkill("sqlite", "");
}

#[test]
fn no_acknowledged_write_is_missing_after_sigkill_on_postgresql() {
    let Ok(postgres) = Postgres::start() else { return };
    survives_sigkill("postgresql", &format!("[store]\nurl = '{}'\n", postgres.url()));
}

#[test]
fn a_replica_may_be_killed_and_the_database_restarted() {
    let Ok(postgres) = Postgres::start() else { return };
    let folder = Folder::new("replicas");
    let config = format!(
        "[check]\npolicies = ['pack:kubernetes/baseline']\n[kubernetes]\nenabled = false\n[store]\nurl = '{}'\n",
        postgres.url()
    );
    let (one, two) = (Setup::new(folder.path(), "one", &config, &[]), Setup::new(folder.path(), "two", &config, &[]));
    let mut first = one.start();
    let client = first.administrator();
    let second = two.start();
    let (acknowledged, retries, ()) = under_load(&client, &[one.api, two.api], true, || {
        std::thread::sleep(LOAD);
        first.kill();
        std::thread::sleep(LOAD);
    });
    let listed = known(&client, two.api);
    let known: BTreeSet<_> = listed.iter().cloned().collect();
    assert!(acknowledged.len() > 20 && acknowledged.is_subset(&known), "{} of {}", known.len(), acknowledged.len());
    assert_eq!(listed.len(), known.len(), "a repeated request was carried out once");
    eprintln!("two replicas: {} writes, {retries} retries, no error behind them", acknowledged.len());

    postgres.stop();
    let (status, problem) = client.call(two.api, "GET", "/api/v1/exceptions", &[], None).unwrap();
    assert_eq!(status, 503, "{problem}");
    postgres.start_again();
    wait_for(Duration::from_secs(30), || {
        let answer = client.call(two.api, "GET", "/api/v1/exceptions", &[], None);
        answer.is_ok_and(|(status, _)| status == 200).then_some(())
    });
    assert!(second.is_ready());
}
