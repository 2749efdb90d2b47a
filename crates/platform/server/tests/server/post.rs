//! A server with test policies, and a client that speaks HTTP/1.1 by hand, so that it can also speak it badly.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use palisade_model::{Path, PolicyRef, Value as Object, Verdict};
use palisade_policies::{Edition, Given};
use palisade_policy::{
    Environment, FailurePolicy, Payload, Phase, Policy, PolicyInfo, PolicyMeta, Request, RuleInfo, RuleOutcome,
};
use palisade_server::{Clock, Config, Outside, PolicyLoader, Server, Wiring};
use palisade_verdict::Ruleset;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder that goes with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("palisade-server-{}-{number}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What the test policies do with an object: what its label `behave` says.
#[derive(Debug)]
struct Behaving(PolicyInfo);

impl Policy for Behaving {
    fn info(&self) -> &PolicyInfo {
        &self.0
    }

    fn may_apply(&self, _: &Request) -> bool {
        true
    }

    fn evaluate(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<RuleOutcome> {
        let Payload::Kubernetes(admission) = request.payload() else { return Vec::new() };
        let behave = admission.subject().dig(["metadata", "labels", "behave"]).and_then(Object::as_str);
        let outcome = |verdict, message: &str| {
            vec![RuleOutcome::new("behave", phase, verdict, message).at(Path::from_pointer("/metadata/labels/behave"))]
        };
        match behave.unwrap_or("well") {
            "well" => outcome(Verdict::Pass, ""),
            "panic" => panic!("a bug in a policy"),
            // Never ends, and hears nobody.
            "forever" => loop {
                std::thread::sleep(Duration::from_millis(50));
            },
            // Never ends by itself, and hears when it is to.
            "long" => {
                while !environment.stop.is_some_and(|stop| stop.is_requested()) {
                    std::thread::sleep(Duration::from_millis(1));
                }
                outcome(Verdict::Error, "stopped")
            }
            other => outcome(Verdict::Fail, &format!("`{other}` is no way to behave")),
        }
    }
}

/// Loads the test policy, by one number for each version.
pub(crate) struct Loader(pub(crate) Arc<AtomicU32>);

impl PolicyLoader for Loader {
    fn signature(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed).into())
    }

    fn load(&mut self, _: &Given, _: Timestamp) -> Edition {
        let rules = vec![RuleInfo { name: "behave".into(), phase: Phase::Validate, location: None }];
        let policy = |failure: FailurePolicy, name: &str| {
            let reference = PolicyRef {
                kind: "Test".into(),
                namespace: None,
                name: name.into(),
                digest: format!("{:064x}", self.0.load(Ordering::Relaxed)).into(),
            };
            let mut info = PolicyInfo::new(reference, PolicyMeta::default(), rules.clone());
            info.reach.failure_policy = failure;
            Arc::new(Behaving(info)) as Arc<dyn Policy>
        };
        let policies = vec![policy(FailurePolicy::Fail, "strict"), policy(FailurePolicy::Ignore, "lenient")];
        let ruleset = Ruleset::of(policies);
        Edition { ruleset: Arc::new(ruleset), documents: Vec::new(), diagnostics: Vec::new(), revisions: Vec::new() }
    }
}

/// A configuration for a server of a test in `folder`.
pub(crate) fn config(folder: &Folder) -> Config {
    let mut config = Config::default();
    let any = "127.0.0.1:0".parse().unwrap();
    config.server.data = Some(folder.0.clone());
    config.server.api.listen = any;
    config.server.admission.listen = any;
    config.server.admission.plain = Some(any);
    config.server.drain = Duration::from_secs(5);
    config.server.log.level = "error".into();
    config
}

pub(crate) fn wiring(clock: Clock) -> Wiring {
    Wiring { loader: Box::new(Loader(Arc::default())), inventory: None, outside: Outside::default(), clock }
}

/// A server that is ready.
pub(crate) async fn start(config: Config) -> Server {
    start_at(config, Clock::system()).await
}

pub(crate) async fn start_at(config: Config, clock: Clock) -> Server {
    let server = Server::start(config, wiring(clock)).await.unwrap();
    let mut ready = server.context().health.readiness();
    tokio::time::timeout(Duration::from_secs(60), ready.wait_for(|ready| *ready)).await.unwrap().unwrap();
    server
}

/// The review of a pod that behaves so.
pub(crate) fn review(uid: &str, behave: &str) -> String {
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": uid, "operation": "CREATE", "namespace": "shop", "name": uid,
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "userInfo": {"username": "alice", "groups": ["builders"]},
            "object": {
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": uid, "namespace": "shop", "labels": {"behave": behave}},
            }
        }
    })
    .to_string()
}

/// Status and body of an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    /// The `response` of the review that it holds.
    pub(crate) fn response(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        let review: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(review["kind"], "AdmissionReview");
        review["response"].clone()
    }

    pub(crate) fn allowed(&self) -> bool {
        self.response()["allowed"].as_bool().unwrap()
    }
}

/// A connection.
pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) async fn connect(address: std::net::SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) async fn post(&mut self, path: &str, body: &str) -> Answer {
        self.post_with(path, "", body).await
    }

    pub(crate) async fn post_with(&mut self, path: &str, headers: &str, body: &str) -> Answer {
        let head = format!("POST {path} HTTP/1.1\r\nhost: test\r\n{headers}content-length: {}\r\n\r\n", body.len());
        self.0.write_all(head.as_bytes()).await.unwrap();
        self.0.write_all(body.as_bytes()).await.unwrap();
        self.answer().await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.0.write_all(format!("GET {path} HTTP/1.1\r\nhost: test\r\n\r\n").as_bytes()).await.unwrap();
        self.answer().await
    }

    /// Reads an answer with a length.
    pub(crate) async fn answer(&mut self) -> Answer {
        let read = async {
            let mut bytes = Vec::new();
            loop {
                if let Some(answer) = whole(&bytes) {
                    return answer;
                }
                let mut chunk = [0; 16 << 10];
                let length = self.0.read(&mut chunk).await.unwrap();
                assert!(length > 0, "the connection ended after {:?}", String::from_utf8_lossy(&bytes));
                bytes.extend_from_slice(&chunk[..length]);
            }
        };
        tokio::time::timeout(Duration::from_secs(60), read).await.expect("no answer in a minute")
    }
}

fn whole(bytes: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())?;
    let status = head.split(' ').nth(1)?.parse().unwrap();
    (body.len() >= length).then(|| Answer { status, body: body.to_owned() })
}

/// The value of a metric's first line that starts with `name`.
pub(crate) async fn metric(server: &Server, name: &str) -> f64 {
    let text = Client::connect(server.addresses().api).await.get("/metrics").await.body;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.split(' ').next_back());
    line.map_or(0.0, |value| value.parse().unwrap())
}
