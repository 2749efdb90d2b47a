//! The server's part of `palisade.toml`: `[server]`, `[store]`, `[kubernetes]`, `[identity]` and `[owners]`.
//!
//! Every key has a default, so that no configuration is needed to start. Unknown keys are errors. Deliberately absent:
//! reading the file and the environment, which is the command line's.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use palisade_identity::{IdentityConfig, duration};
use serde::Deserialize;

use crate::error::ServerError;
use crate::owners::OwnersConfig;

/// All sections that the server reads.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// `[server]`.
    pub server: ServerConfig,
    /// `[store]`.
    pub store: palisade_store::StoreConfig,
    /// `[kubernetes]`.
    pub kubernetes: palisade_kube::KubernetesConfig,
    /// `[identity]`.
    pub identity: IdentityConfig,
    /// `[owners]`.
    pub owners: OwnersConfig,
}

/// `[server]`: folders, listeners, limits, what is recorded and told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServerConfig {
    /// The folder for everything that the server keeps; `$XDG_STATE_HOME/palisade` or `palisade-data` by default.
    pub data: Option<PathBuf>,
    /// The address that people reach the API under, such as `https://palisade.example.com`; the listener's by default.
    pub address: Option<url::Url>,
    /// How long the server goes on accepting requests after it was told to stop and has ceased to be ready, so that
    /// whoever routes to it can take it out first.
    #[serde(with = "duration")]
    pub linger: Duration,
    /// How long open requests may take after that.
    #[serde(with = "duration")]
    pub drain: Duration,
    /// `[server.api]`.
    pub api: ApiListener,
    /// `[server.agents]`; without it agents have no listener of their own.
    pub agents: Option<AgentsListener>,
    /// `[server.admission]`.
    pub admission: AdmissionConfig,
    /// `[server.limits]`.
    pub limits: Limits,
    /// `[server.journal]`.
    pub journal: JournalConfig,
    /// `[server.log]`.
    pub log: LogConfig,
    /// `[server.tracing]`.
    pub tracing: TracingConfig,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            data: None,
            address: None,
            linger: Duration::ZERO,
            drain: Duration::from_secs(20),
            api: ApiListener::default(),
            agents: None,
            admission: AdmissionConfig::default(),
            limits: Limits::default(),
            journal: JournalConfig::default(),
            log: LogConfig::default(),
            tracing: TracingConfig::default(),
        }
    }
}

/// `[server.api]`: the listener of the API, health and metrics.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ApiListener {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Certificate chain and key; without them the listener speaks plain HTTP.
    pub tls: Option<TlsFiles>,
}

impl Default for ApiListener {
    fn default() -> Self {
        Self { listen: loopback(8420), tls: None }
    }
}

/// `[server.agents]`: the API for agents, who show a certificate that this server issued.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AgentsListener {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Certificate chain and key.
    pub tls: TlsFiles,
}

/// A certificate chain and its key, as PEM files. Changed files are read anew.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// `[server.admission]`: the webhook endpoint.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AdmissionConfig {
    /// Where to listen for HTTPS.
    pub listen: SocketAddr,
    /// Certificate and key; by default the server makes and renews its own.
    pub tls: Option<TlsFiles>,
    /// Where to listen for plain HTTP beside it, for measurements; a loopback address only.
    pub plain: Option<SocketAddr>,
    /// The largest review that is read, in bytes.
    pub max_review_bytes: usize,
    /// How long a review may take where the API server names no time-out.
    #[serde(with = "duration")]
    pub timeout: Duration,
    /// How many reviews may be evaluated at once; the number of processors by default.
    pub workers: Option<usize>,
    /// How many more may wait for a worker before further ones are answered by their failure policy.
    pub queue: usize,
}

impl Default for AdmissionConfig {
    fn default() -> Self {
        Self {
            listen: loopback(9443),
            tls: None,
            plain: None,
            max_review_bytes: DEFAULT_MAX_REVIEW_BYTES,
            timeout: Duration::from_secs(10),
            workers: None,
            queue: 1024,
        }
    }
}

/// Kubernetes bounds requests at 3 MiB; a review carries old and new object, and escapes.
const DEFAULT_MAX_REVIEW_BYTES: usize = 7 << 20;

/// `[server.limits]`: what a client may take.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Connections to one listener.
    pub connections: usize,
    /// How long a client may take over the handshake and over the headers of a request.
    #[serde(with = "duration")]
    pub header_timeout: Duration,
    /// How long a client may take over one request, its body included. Event streams are not bound by it.
    #[serde(with = "duration")]
    pub request_timeout: Duration,
    /// The largest body of an API request, in bytes.
    pub max_body_bytes: usize,
    /// Requests to the API that one caller may send in a second, on average.
    pub requests_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            header_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            max_body_bytes: 1 << 20,
            requests_per_second: 200,
        }
    }
}

/// `[server.journal]`: the record of decisions on its way into the store.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct JournalConfig {
    /// What is recorded.
    pub record: Record,
    /// The most that waits on disk for the store, in bytes. Past it decisions are counted and not recorded.
    pub max_bytes: u64,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self { record: Record::All, max_bytes: 256 << 20 }
    }
}

/// Which decisions are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// All of them.
    #[default]
    All,
    /// Those that denied, warned, changed something or found a violation.
    NonPassing,
}

/// `[server.log]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LogConfig {
    /// Level, or directives such as `info,palisade_server=debug`.
    pub level: String,
    /// How lines look.
    pub format: LogFormat,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Auto }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// Lines of text.
    Text,
    /// A JSON object a line.
    Json,
}

/// `[server.tracing]`: where traces go.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TracingConfig {
    /// The OTLP/HTTP collector, such as `http://127.0.0.1:4318`; no traces without it.
    pub endpoint: Option<url::Url>,
    /// The share of requests without a sampled parent that is traced, from 0 to 1.
    pub sample: f64,
}

impl Default for TracingConfig {
    fn default() -> Self {
        Self { endpoint: None, sample: 0.1 }
    }
}

impl ServerConfig {
    /// The folder for everything that the server keeps.
    pub fn data_folder(&self) -> PathBuf {
        let state = || std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let default = || state().map_or_else(|| Path::new("palisade-data").into(), |home| home.join("palisade"));
        self.data.clone().unwrap_or_else(default)
    }
}

impl Config {
    /// Finds values that cannot work, before anything is started.
    pub fn validate(&self) -> Result<(), ServerError> {
        let server = &self.server;
        let positive = [
            ("server.admission.max-review-bytes", server.admission.max_review_bytes),
            ("server.admission.workers", server.admission.workers.unwrap_or(1)),
            ("server.limits.connections", server.limits.connections),
            ("server.limits.max-body-bytes", server.limits.max_body_bytes),
        ];
        if let Some((key, _)) = positive.into_iter().find(|(_, value)| *value == 0) {
            return Err(wrong(key, "0 permits nothing", "write a number above 0, or leave it out"));
        }
        if server.limits.requests_per_second == 0 {
            return Err(wrong("server.limits.requests-per-second", "0 permits nothing", "write a number above 0"));
        }
        let times = [
            ("server.admission.timeout", server.admission.timeout),
            ("server.limits.header-timeout", server.limits.header_timeout),
            ("server.limits.request-timeout", server.limits.request_timeout),
        ];
        if let Some((key, _)) = times.into_iter().find(|(_, time)| time.is_zero()) {
            return Err(wrong(key, "no request ends in no time", "write a time such as `10s`, or leave it out"));
        }
        if let Some(plain) = server.admission.plain.filter(|address| !address.ip().is_loopback()) {
            let problem = format!("{plain} would answer reviews without encryption");
            return Err(wrong("server.admission.plain", problem, "write a loopback address such as 127.0.0.1:9080"));
        }
        if !(0.0..=1.0).contains(&server.tracing.sample) {
            let problem = format!("{} is no share", server.tracing.sample);
            return Err(wrong("server.tracing.sample", problem, "write a number from 0 to 1"));
        }
        // Collectors run beside the server; encryption is a sidecar's or a mesh's work.
        if let Some(scheme) = server.tracing.endpoint.as_ref().map(url::Url::scheme).filter(|scheme| *scheme != "http")
        {
            let problem = format!("spans cannot be sent by `{scheme}`");
            return Err(wrong("server.tracing.endpoint", problem, "write an address that starts with http://"));
        }
        Ok(self.identity.validate(server.address.as_ref())?)
    }
}

fn wrong(key: &'static str, problem: impl Into<String>, remedy: &'static str) -> ServerError {
    ServerError::Config { key, problem: problem.into(), remedy }
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid() {
        Config::default().validate().unwrap();
    }

    #[test]
    fn messages_name_key_and_remedy() {
        let mut config = Config::default();
        config.server.admission.plain = Some("192.0.2.1:80".parse().unwrap());
        let message = config.validate().unwrap_err().to_string();
        assert!(message.starts_with("`server.admission.plain` in the configuration"), "{message}");
        assert!(message.ends_with("write a loopback address such as 127.0.0.1:9080"), "{message}");
    }

    #[test]
    fn times_are_written_as_kubernetes_writes_them() {
        let server: ServerConfig = serde_json::from_str(r#"{"drain": "1m30s"}"#).unwrap();
        assert_eq!(server.drain, Duration::from_secs(90));
        let error = serde_json::from_str::<ServerConfig>(r#"{"drain": "-1s"}"#).unwrap_err();
        assert!(error.to_string().contains("such as `30s`"), "{error}");
        assert!(serde_json::from_str::<ServerConfig>(r#"{"drian": "1s"}"#).is_err());
    }
}
