//! A server in a process of its own: signals, SIGKILL, the next start.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use palisade_server::Clock;
use palisade_store::{DecisionFilter, Page, Store, StoreConfig};
use palisade_testkit::wait_for;

use crate::post::{Client, Folder, config, review, wiring};

const CHILD: &str = "PALISADE_TEST_CHILD";
/// Where the child sends its traces.
const COLLECTOR: &str = "PALISADE_TEST_COLLECTOR";

/// No test of its own: the server that the others start, told by a variable.
#[test]
fn child() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let folder = std::mem::ManuallyDrop::new(Folder(folder.into()));
    let mut config = config(&folder);
    config.server.admission.plain = Some(address(&folder.0));
    config.server.tracing.endpoint = std::env::var(COLLECTOR).ok().map(|endpoint| endpoint.parse().unwrap());
    tokio::runtime::Runtime::new().unwrap().block_on(palisade_server::run(config, wiring(Clock::system()))).unwrap();
}

/// The address that the test chose for the child.
pub(crate) fn address(folder: &Path) -> SocketAddr {
    std::fs::read_to_string(folder.join("address")).unwrap().parse().unwrap()
}

fn start(folder: &Folder) -> Child {
    start_tracing(folder, None)
}

/// Starts the server and waits until it is ready; it sends its traces to `collector`.
pub(crate) fn start_tracing(folder: &Folder, collector: Option<&str>) -> Child {
    let this = std::env::current_exe().unwrap();
    let mut command = Command::new(this);
    command.args(["lifecycle::child", "--exact", "--nocapture"]).env(CHILD, &folder.0);
    command.envs(collector.map(|endpoint| (COLLECTOR, endpoint)));
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let address = address(&folder.0);
    wait_for(Duration::from_secs(60), || {
        let ready = async {
            let stream = tokio::net::TcpStream::connect(address).await.ok()?;
            (Client(stream).get("/readyz").await.status == 200).then_some(())
        };
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(ready)
    });
    child
}

/// A folder with an address in it.
pub(crate) fn prepared() -> Folder {
    let folder = Folder::new();
    std::fs::create_dir_all(&folder.0).unwrap();
    let port = palisade_testkit::free_port();
    std::fs::write(folder.0.join("address"), format!("127.0.0.1:{port}")).unwrap();
    folder
}

/// Sends reviews until the server goes; the identifiers of those that were answered.
async fn load(address: SocketAddr, client: usize) -> Vec<String> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut answered = Vec::new();
    let Ok(mut stream) = tokio::net::TcpStream::connect(address).await else { return answered };
    for round in 0..100_000 {
        let uid = format!("u-{client}-{round}");
        let body = review(&uid, if round % 2 == 0 { "well" } else { "badly" });
        let head = format!("POST /validate HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            break;
        }
        let mut buffer = [0; 8192];
        match stream.read(&mut buffer).await {
            Ok(length) if length > 0 => answered.push(uid),
            _ => break,
        }
    }
    answered
}

#[test]
fn what_was_answered_before_sigkill_is_on_record_after_the_next_start() {
    let folder = prepared();
    let (mut child, address) = (start(&folder), address(&folder.0));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let clients: Vec<_> = (0..4).map(|client| runtime.spawn(load(address, client))).collect();
    std::thread::sleep(Duration::from_millis(1500));
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    let answered: BTreeSet<String> = clients.into_iter().flat_map(|client| runtime.block_on(client).unwrap()).collect();
    assert!(answered.len() > 50, "too few to tell anything: {}", answered.len());
    let mut child = start(&folder);
    terminate(&child);
    assert!(child.wait().unwrap().success(), "asked to stop, it ends well");
    let recorded = runtime.block_on(names(&folder.0));
    let missing: Vec<_> = answered.difference(&recorded).collect();
    assert!(missing.is_empty(), "{} of {} are missing: {missing:?}", missing.len(), answered.len());
}

/// The names of all decisions in the store.
async fn names(folder: &Path) -> BTreeSet<String> {
    let store = Store::open(&StoreConfig::default(), folder).await.unwrap();
    let (mut names, mut page) = (BTreeSet::new(), Page::first(500));
    loop {
        let listed = store.list_decisions(&DecisionFilter::default(), &page).await.unwrap();
        names.extend(listed.items.into_iter().map(|decision| decision.name));
        match listed.next {
            Some(next) => page.after = Some(next),
            None => return names,
        }
    }
}

pub(crate) fn terminate(child: &Child) {
    let status = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}
