//! Identity through its routes: who gets in, and who does not.
#![allow(clippy::string_slice, reason = "tokens and cookies are ASCII")]

mod accounts;
mod agents;
mod bootstrap;
mod logins;
mod logs;
mod provider;
mod registration;
mod sessions;
mod tokens;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use palisade_api::{Kit, Limits, Rates, Routes};
use palisade_runtime::Clock;
use palisade_store::{AuditEntry, AuditFilter, Login, Page, Principal, Role, RoleBinding, Store, StoreConfig};
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use url::Url;

use super::permission::tests::permissions;
use super::secret::{self, Kind, Secret};
use super::{Endpoint, Identity, IdentityConfig, Peer};

/// A server's identity on a store of its own, with a clock that the test turns.
struct World {
    identity: Arc<Identity>,
    store: Store,
    router: Router,
    now: Arc<Mutex<Timestamp>>,
    folder: PathBuf,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// An answer, read to its end.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap_or_default().trim_start_matches("urn:palisade:problem:").to_owned()
    }

    fn location(&self) -> &str {
        self.headers.get(header::LOCATION).unwrap_or_else(|| panic!("{self:?}")).to_str().unwrap()
    }

    /// The `name=value` of a cookie that was set and not cleared.
    fn cookie(&self, part: &str) -> Option<String> {
        let lines = self.headers.get_all(header::SET_COOKIE).iter().map(|line| line.to_str().unwrap());
        let pairs = lines.filter(|line| !line.contains("Max-Age=0")).map(|line| line.split(';').next().unwrap());
        pairs.filter(|pair| pair.contains(part)).map(str::to_owned).next()
    }
}

impl World {
    async fn new() -> Self {
        Self::with(IdentityConfig::default()).await
    }

    async fn with(config: IdentityConfig) -> Self {
        Self::at("https://palisade.example.com", config).await
    }

    async fn at(address: &str, config: IdentityConfig) -> Self {
        let folder = std::env::temp_dir().join(format!("palisade-identity-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&folder).unwrap();
        let store = Store::open(&StoreConfig::default(), &folder).await.unwrap();
        let now = Arc::new(Mutex::new(Timestamp::now()));
        let read = now.clone();
        let clock = Clock::new(move || *read.lock().unwrap());
        let address = Url::parse(address).unwrap();
        let identity = Identity::open(&config, &address, &folder, (store.clone(), clock), permissions()).unwrap();
        let router = routes(&identity, 1000, identity.endpoints()).split().0;
        Self { identity, store, router, now, folder }
    }

    fn pass(&self, time: SignedDuration) {
        *self.now.lock().unwrap() += time;
    }

    fn time(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        self.send(request(method, path, headers, body)).await
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.call(Method::GET, path, headers, None).await
    }

    /// An account that holds `roles`, and the cookie of a session of it.
    async fn person(&self, name: &str, roles: &[(Role, Option<&str>)]) -> (String, String) {
        let login = Login {
            issuer: "https://login.example.com".into(),
            subject: name.into(),
            display_name: name.into(),
            email: None,
            groups: Vec::new(),
        };
        let account = self.store.record_login(&login, self.time()).await.unwrap();
        for (role, team) in roles {
            let principal = Principal::Account(account.id.clone());
            let binding = RoleBinding { principal, role: *role, team: team.map(str::to_owned) };
            self.store.grant_role(&binding, "test", self.time()).await.unwrap();
        }
        let parts = request(Method::GET, "/", &[], None).into_parts().0;
        let cookie = self.identity.begin_session(&parts, &account, "test").await.unwrap();
        (account.id, cookie.to_str().unwrap().split(';').next().unwrap().to_owned())
    }

    /// An API token made by that session.
    async fn token(&self, cookie: &str, role: &str, team: &str) -> String {
        let body = json!({"name": "test", "role": role, "team": team});
        let made = self.call(Method::POST, "/api/v1/tokens", &own(cookie), Some(body)).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        made.json()["secret"].as_str().unwrap().to_owned()
    }

    async fn audit(&self, action: &str) -> Vec<AuditEntry> {
        let filter = AuditFilter { action: Some(action.into()), ..AuditFilter::default() };
        self.store.list_audit(&filter, &Page::first(Page::MAX_LIMIT)).await.unwrap().items
    }
}

/// The endpoints behind the check of `identity`, for callers that may ask so often in a second.
fn routes(identity: &Arc<Identity>, per_second: u32, endpoints: Vec<Endpoint<()>>) -> Routes<Identity> {
    let limits = Limits { max_body_bytes: 1 << 20, patience: Duration::from_secs(10) };
    let (store, clock) = (identity.store.clone(), identity.clock.clone());
    Routes::new(&Kit::new(identity.clone(), Rates::new(per_second), limits, store, clock), endpoints)
}

/// A request from 127.0.0.1.
fn request(method: Method, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Request<Body> {
    let peer = Peer { address: SocketAddr::from(([127, 0, 0, 1], 40000)), certificates: None };
    let builder = Request::builder().method(method).uri(path).extension(peer);
    let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    match body {
        None => builder.body(Body::empty()).unwrap(),
        Some(body) => {
            builder.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())).unwrap()
        }
    }
}

/// The same over a connection with a client certificate.
fn certified(mut request: Request<Body>, certificate: &CertificateDer<'static>) -> Request<Body> {
    request.extensions_mut().get_mut::<Peer>().unwrap().certificates = Some(Arc::from(vec![certificate.clone()]));
    request
}

/// Headers of a request that the console's own page sends.
fn own(cookie: &str) -> [(&str, &str); 2] {
    [("cookie", cookie), ("sec-fetch-site", "same-origin")]
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}
