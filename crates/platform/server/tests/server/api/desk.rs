//! A server with people at it: accounts, roles and tokens are put into its store, requests go over HTTP.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::{SignedDuration, Timestamp};
use palisade_model::{Address, Checkpoint, PolicyRef, Severity, Value as Object, Verdict, VerdictCounts};
use palisade_policies::{Edition, Given};
use palisade_policy::{Environment, Phase, Policy, PolicyInfo, PolicyMeta, RuleInfo, RuleOutcome};
use palisade_server::{Clock, Config, Outside, PolicyLoader, Server, Wiring};
use palisade_store::{
    DecisionRecord, Login, NewToken, Observation, Principal, Role, RoleBinding, SecretHash, Store, StoredFinding,
};
use palisade_verdict::Ruleset;
use serde_json::Value;
use sha2::{Digest, Sha256};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A running server; its folder goes with it.
pub(super) struct Desk {
    pub(super) server: Server,
    pub(super) store: Store,
    pub(super) url: String,
    client: Client<HttpConnector, Full<Bytes>>,
    _folder: Folder,
}

/// A folder that goes with its owner.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The last part of the problem's type.
    pub(super) fn problem(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let document = self.json();
        assert_eq!(document["status"], self.status.as_u16());
        assert_eq!(document["request_id"], self.headers["x-request-id"].to_str().unwrap());
        assert!(!document["detail"].as_str().unwrap().is_empty());
        document["type"].as_str().unwrap().strip_prefix("urn:palisade:problem:").unwrap().to_owned()
    }

    pub(super) fn items(&self) -> Vec<Value> {
        self.json()["items"].as_array().unwrap_or_else(|| panic!("no list: {self:?}")).clone()
    }
}

impl Desk {
    pub(super) async fn open() -> Self {
        Self::open_with(|_| {}).await
    }

    pub(super) async fn open_with(change: impl FnOnce(&mut Config)) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("palisade-api-{}-{number}", std::process::id()));
        let mut config = Config::default();
        config.server.data = Some(folder.clone());
        config.server.api.listen = "127.0.0.1:0".parse().unwrap();
        config.server.admission.listen = "127.0.0.1:0".parse().unwrap();
        config.server.limits.requests_per_second = 100_000;
        config.identity.failures_per_minute = 1_000_000;
        change(&mut config);
        let wiring =
            Wiring { loader: Box::new(Loader), inventory: None, outside: Outside::default(), clock: Clock::system() };
        let server = Server::start(config, wiring).await.unwrap();
        let url = format!("http://{}", server.addresses().api);
        let store = server.context().store.clone();
        let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        Self { server, store, url, client, _folder: Folder(folder) }
    }

    /// A token of a person who has `role` in `team`, or in all of them. People go by their subject.
    pub(super) async fn token(&self, subject: &str, role: Role, team: Option<&str>) -> String {
        let now = Timestamp::now();
        let login = Login {
            issuer: "https://login.example.com".into(),
            subject: subject.into(),
            display_name: subject.into(),
            email: None,
            groups: Vec::new(),
        };
        let account = self.store.record_login(&login, now).await.unwrap();
        let team = team.map(str::to_owned);
        let principal = Principal::Account(account.id.clone());
        let binding = RoleBinding { principal, role, team: team.clone() };
        self.store.grant_role(&binding, "test", now).await.unwrap();
        let token = token();
        let new = NewToken {
            hash: SecretHash::of(format!("palisade:token:{token}")),
            name: "test".into(),
            role,
            team,
            account_id: Some(account.id),
            expires_at: now + SignedDuration::from_hours(1),
        };
        self.store.create_token(&new, now).await.unwrap();
        token
    }

    pub(super) async fn admin(&self) -> String {
        self.token("admin", Role::Admin, None).await
    }

    /// Sends a request and reads the whole answer.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body.to_owned())).unwrap();
        let response = self.client.request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// Sends a request that succeeds; the bytes of its answer.
    pub(super) async fn raw(&self, request: Request<Full<Bytes>>) -> Bytes {
        let response = self.client.request(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.into_body().collect().await.unwrap().to_bytes()
    }

    pub(super) async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(Method::GET, path, token, &[], "").await
    }

    pub(super) async fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        let json = [("content-type", "application/json")];
        self.send(Method::POST, path, token, &json, &body.to_string()).await
    }
}

/// A token as identity makes them: 43 characters and a checksum.
fn token() -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = format!("pal_{}{:011}", uuid::Uuid::new_v4().simple(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut rest = Sha256::digest(&text).iter().take(4).fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    let mut checksum = [b'0'; 6];
    for digit in checksum.iter_mut().rev() {
        *digit = DIGITS[rest % DIGITS.len()];
        rest /= DIGITS.len();
    }
    text.push_str(std::str::from_utf8(&checksum).unwrap());
    text
}

/// Knows one policy: every object has a label `team`.
struct Loader;

impl PolicyLoader for Loader {
    fn signature(&self) -> Option<u64> {
        Some(1)
    }

    fn load(&mut self, given: &Given, _: Timestamp) -> Edition {
        let reference = PolicyRef {
            kind: "TestPolicy".into(),
            namespace: None,
            name: "labels".into(),
            digest: "0".repeat(64).into(),
        };
        let rules = vec![RuleInfo { name: "team".into(), phase: Phase::Validate, location: None }];
        let policy = Labelled(PolicyInfo::new(reference, PolicyMeta::default(), rules));
        let waivers = palisade_verdict::waiver::Waivers::new(given.waivers.clone());
        let digest = format!("{} waivers", given.waivers.len());
        let set = vec![Arc::new(policy) as Arc<dyn Policy>];
        let ruleset = Arc::new(Ruleset::new(set, palisade_verdict::selection::Overrides::default(), waivers, &digest));
        Edition { ruleset, documents: Vec::new(), diagnostics: Vec::new(), revisions: Vec::new() }
    }
}

#[derive(Debug)]
struct Labelled(PolicyInfo);

impl Policy for Labelled {
    fn info(&self) -> &PolicyInfo {
        &self.0
    }

    fn may_apply(&self, _: &palisade_policy::Request) -> bool {
        true
    }

    fn evaluate(&self, phase: Phase, request: &palisade_policy::Request, _: &Environment<'_>) -> Vec<RuleOutcome> {
        let Some(admission) = request.as_admission().filter(|_| phase == Phase::Validate) else { return Vec::new() };
        let labelled = admission.subject().dig(["metadata", "labels", "team"]).and_then(Object::as_str).is_some();
        let verdict = if labelled { Verdict::Pass } else { Verdict::Fail };
        vec![RuleOutcome::new("team", phase, verdict, "the label `team` is missing")]
    }
}

/// What a scan found in a pod of a team: so many violations of the policy `labels`.
pub(super) fn observed(team: &str, name: &str, findings: usize, time: Timestamp) -> Observation {
    let finding = |index: usize| StoredFinding {
        fingerprint: format!("{:032x}", u128::from(u64::from_be_bytes(digest(&format!("{team}/{name}/{index}"))))),
        policy: "labels".into(),
        policy_kind: "TestPolicy".into(),
        policy_digest: "0".repeat(64),
        rule: format!("rule-{}", index % 20),
        verdict: Verdict::Fail,
        severity: Severity::ALL[index % 5],
        message: format!("the label of {team} is missing in container {index}"),
        path: "metadata.labels".into(),
        remediation: Some("add the label".into()),
        controls: Vec::new(),
        disposition: "counted".into(),
        facts: [("container".to_owned(), index.to_string())].into(),
    };
    Observation {
        resource: Address {
            source: "cluster:test".into(),
            kind: "Pod".into(),
            namespace: format!("ns-{team}").into(),
            name: name.into(),
            ..Address::default()
        },
        version: "v1".into(),
        uid: String::new(),
        labels_digest: String::new(),
        input_digest: String::new(),
        ruleset_digest: String::new(),
        team: team.into(),
        service: format!("service-{team}"),
        checkpoint: Checkpoint::Scan,
        counts: VerdictCounts { fail: findings as u32, ..VerdictCounts::default() },
        findings: (0..findings).map(finding).collect(),
        time,
    }
}

fn digest(text: &str) -> [u8; 8] {
    Sha256::digest(text)[..8].try_into().unwrap()
}

/// A decision about a pod of a team.
pub(super) fn decided(team: &str, name: &str, time: Timestamp) -> DecisionRecord {
    DecisionRecord {
        id: uuid::Uuid::now_v7().to_string(),
        time,
        checkpoint: Checkpoint::Admission,
        operation: "CREATE".into(),
        dry_run: false,
        group: String::new(),
        version: "v1".into(),
        kind: "Pod".into(),
        namespace: format!("ns-{team}"),
        name: name.into(),
        uid: String::new(),
        sub_resource: String::new(),
        username: format!("{team}-developer"),
        groups: Vec::new(),
        allowed: false,
        message: format!("denied for {team}"),
        warnings: Vec::new(),
        patched: false,
        findings: Vec::new(),
        counts: VerdictCounts::default(),
        input_digest: String::new(),
        ruleset_digest: String::new(),
        team: team.into(),
        service: format!("service-{team}"),
        duration_us: 100,
    }
}
