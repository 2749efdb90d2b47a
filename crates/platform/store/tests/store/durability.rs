//! A process that writes is killed, or finds the disk full. The child is this test binary again, with one ignored test.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use palisade_store::{DecisionFilter, Page, Store, StoreConfig, StoreError};

use crate::database::TestDatabase;
use crate::inventory::decision;

const FOLDER: &str = "PALISADE_STORE_TEST_FOLDER";
const ADDRESS: &str = "PALISADE_STORE_TEST_URL";
/// Decisions of one batch of the child.
const BATCH: u32 = 10;

fn child(database: &TestDatabase, mut command: Command) -> Command {
    command.args(["--exact", "durability::child_writes_and_says_what_was_acknowledged", "--ignored", "--nocapture"]);
    command.env(FOLDER, &database.folder.0).env(ADDRESS, database.config.url.as_deref().unwrap_or_default());
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

#[tokio::test]
#[ignore = "run by the tests of this module as a process of its own"]
async fn child_writes_and_says_what_was_acknowledged() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let url = std::env::var(ADDRESS).ok().filter(|url| !url.is_empty());
    let config = StoreConfig { url, ..StoreConfig::default() };
    let store = Store::open(&config, folder.as_ref()).await.unwrap();
    let mut out = std::io::stdout();
    for batch in 0..1_000_000_u32 {
        let decisions: Vec<_> = (batch * BATCH..(batch + 1) * BATCH).map(|number| decision(number, 1)).collect();
        match store.append_decisions(&decisions).await {
            Ok(_) => writeln!(out, "acknowledged {batch}").unwrap(),
            Err(StoreError::Full { .. }) => {
                let readable = store.decision("0190-00000001").await.unwrap().is_some();
                writeln!(out, "full {readable}").unwrap();
                return;
            }
            Err(error) => panic!("{error}"),
        }
        out.flush().unwrap();
    }
}

async fn all_are_there(store: &Store, batches: &[u32]) {
    for batch in batches {
        for number in batch * BATCH..(batch + 1) * BATCH {
            let id = format!("0190-{number:08}");
            assert!(store.decision(&id).await.unwrap().is_some(), "decision {id} was acknowledged and is missing");
        }
    }
    let mut page = Page::first(500);
    let mut total = 0;
    loop {
        let listed = store.list_decisions(&DecisionFilter::default(), &page).await.unwrap();
        total += listed.items.len();
        page.after = listed.next;
        if page.after.is_none() {
            break;
        }
    }
    assert_eq!(total % BATCH as usize, 0, "a batch is there by half");
    assert!(total >= batches.len() * BATCH as usize);
}

fn acknowledged(line: &str) -> Option<u32> {
    line.rsplit_once("acknowledged ")?.1.trim().parse().ok()
}

pub(crate) async fn nothing_acknowledged_is_lost_by_a_kill(database: &TestDatabase) {
    let mut process = child(database, Command::new(std::env::current_exe().unwrap())).spawn().unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut batches = Vec::new();
    let mut killed = false;
    for line in lines {
        batches.extend(acknowledged(&line.unwrap()));
        if batches.len() >= 60 && !killed {
            process.kill().unwrap();
            killed = true;
        }
    }
    process.wait().unwrap();
    assert!(killed, "the child ended before it was killed: {batches:?}");
    let store = database.open().await;
    all_are_there(&store, &batches).await;
    store.append_decisions(&[decision(99_999_999, 1)]).await.unwrap();
}

/// The shell limits the size of files, and the signal that would come with it is ignored, so that writing fails as on a
/// full disk.
#[tokio::test]
async fn a_full_disk_is_an_error_and_nothing_is_half_written() {
    let database = TestDatabase::sqlite();
    let mut shell = Command::new("sh");
    shell.arg("-c").arg("trap '' XFSZ; ulimit -f 2048; exec \"$0\" \"$@\"").arg(std::env::current_exe().unwrap());
    let output = child(&database, shell).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let batches: Vec<_> = text.lines().filter_map(acknowledged).collect();
    assert!(text.contains("full true"), "{text}");
    assert!(batches.len() > 3, "{text}");
    let store = database.open().await;
    all_are_there(&store, &batches).await;
    store.append_decisions(&[decision(99_999_999, 1)]).await.unwrap();
}
