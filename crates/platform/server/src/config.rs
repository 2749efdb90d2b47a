//! The server's part of `palisade.toml`: `[server]`, `[store]`, `[kubernetes]`, `[identity]` and `[owners]`.
//!
//! Every key has a default, so that no configuration is needed to start. Deliberately absent: reading the file and the
//! environment, which is the command line's.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use palisade_config::{Document, Section, choice, quoted, section};
use palisade_identity::IdentityConfig;
use palisade_kube::KubernetesConfig;
use palisade_model::Diagnostic;
use palisade_store::StoreConfig;
use serde::de::DeserializeOwned;

use crate::capability;
use crate::error::ServerError;
use crate::owners::OwnersConfig;

/// The folder for what the server keeps, where nothing else is said.
pub const DATA: &str = "palisade-data";

/// All sections that the server reads.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// `[server]`.
    pub server: ServerConfig,
    /// `[store]`.
    pub store: StoreConfig,
    /// `[kubernetes]`.
    pub kubernetes: KubernetesConfig,
    /// `[identity]`.
    pub identity: IdentityConfig,
    /// `[owners]`.
    pub owners: OwnersConfig,
    /// The file, for the sections that only their capabilities read.
    document: Document,
}

section! {
    /// Folders, listeners, limits, what is recorded and told.
    #[derive(Clone, Debug)]
    pub struct ServerConfig("server") {
        /// The folder for everything that the server keeps; `palisade` in `$XDG_STATE_HOME`, where that is set.
        pub data: Option<PathBuf> = None => implied = || quoted(DATA);
        /// The address that people reach the API under, such as `https://palisade.example.com`; the listener's by default.
        pub address: Option<url::Url> = None;
        /// How long the server goes on accepting requests after it was told to stop and has ceased to be ready, so that
        /// whoever routes to it can take it out first.
        #[serde(deserialize_with = "palisade_config::duration")]
        pub linger: Duration = Duration::ZERO;
        /// How long open requests may take after that.
        #[serde(deserialize_with = "palisade_config::duration")]
        pub drain: Duration = Duration::from_secs(20);
        /// The listener of the API, health and metrics.
        pub api: ApiListener = ApiListener::default();
        /// The listener of the API for agents; without it they have none.
        pub agents: Option<AgentsListener> = None;
        /// The webhook endpoint.
        pub admission: AdmissionConfig = AdmissionConfig::default();
        /// What a client may take.
        pub limits: Limits = Limits::default();
        /// The record of decisions on its way into the store.
        pub journal: JournalConfig = JournalConfig::default();
        /// What the server says of itself.
        pub log: LogConfig = LogConfig::default();
        /// Where traces go.
        pub tracing: TracingConfig = TracingConfig::default();
    }
}

section! {
    /// `[server.api]`: the listener of the API, health and metrics.
    #[derive(Clone, Debug)]
    pub struct ApiListener {
        /// Where to listen.
        pub listen: SocketAddr = loopback(8420);
        /// Certificate chain and key; without them the listener speaks plain HTTP.
        pub tls: Option<TlsFiles> = None;
    }
}

section! {
    /// `[server.agents]`: the API for agents, who show a certificate that this server issued.
    #[derive(Clone, Debug)]
    pub struct AgentsListener {
        /// Where to listen.
        pub listen: SocketAddr;
        /// Certificate chain and key.
        pub tls: TlsFiles;
    }
}

section! {
    /// A certificate chain and its key, as PEM files. Changed files are read anew.
    #[derive(Clone, Debug)]
    pub struct TlsFiles {
        /// The chain, the server's own certificate first.
        pub certificate: PathBuf;
        /// The private key.
        pub key: PathBuf;
    }
}

section! {
    /// `[server.admission]`: the webhook endpoint.
    #[derive(Clone, Debug)]
    pub struct AdmissionConfig {
        /// Where to listen for HTTPS.
        pub listen: SocketAddr = loopback(9443);
        /// Certificate and key; by default the server makes and renews its own.
        pub tls: Option<TlsFiles> = None;
        /// Where to listen for plain HTTP beside it, for measurements; a loopback address only.
        pub plain: Option<SocketAddr> = None;
        /// The largest review that is read, in bytes.
        pub max_review_bytes: usize = DEFAULT_MAX_REVIEW_BYTES;
        /// How long a review may take where the API server names no time-out.
        #[serde(deserialize_with = "palisade_config::duration")]
        pub timeout: Duration = Duration::from_secs(10);
        /// How many reviews may be evaluated at once; the number of processors by default.
        pub workers: Option<usize> = None;
        /// How many more may wait for a worker before further ones are answered by their failure policy.
        pub queue: usize = 1024;
    }
}

/// Kubernetes bounds requests at 3 MiB; a review carries old and new object, and escapes.
const DEFAULT_MAX_REVIEW_BYTES: usize = 7 << 20;

section! {
    /// `[server.limits]`: what a client may take.
    #[derive(Clone, Debug)]
    pub struct Limits {
        /// Connections to one listener.
        pub connections: usize = 4096;
        /// How long a client may take over the handshake and over the headers of a request.
        #[serde(deserialize_with = "palisade_config::duration")]
        pub header_timeout: Duration = Duration::from_secs(10);
        /// How long a client may take over one request, its body included. Event streams are not bound by it.
        #[serde(deserialize_with = "palisade_config::duration")]
        pub request_timeout: Duration = Duration::from_secs(30);
        /// The largest body of an API request, in bytes.
        pub max_body_bytes: usize = 1 << 20;
        /// Requests to the API that one caller may send in a second, on average.
        pub requests_per_second: u32 = 200;
    }
}

section! {
    /// `[server.journal]`: the record of decisions on its way into the store.
    #[derive(Clone, Debug)]
    pub struct JournalConfig {
        /// What is recorded: every decision, or those that denied, warned, changed something or found a violation.
        pub record: Record = Record::All;
        /// The most that waits on disk for the store, in bytes. Past it decisions are counted and not recorded.
        pub max_bytes: u64 = 256 << 20;
    }
}

choice! {
    /// Which decisions are recorded.
    pub enum Record {
        /// All of them.
        All = "all",
        /// Those that denied, warned, changed something or found a violation.
        NonPassing = "non-passing",
    }
}

section! {
    /// `[server.log]`.
    #[derive(Clone, Debug)]
    pub struct LogConfig {
        /// Level, or directives such as `info,palisade_server=debug`.
        pub level: String = "info".into();
        /// How lines look; `auto` is text on a terminal, JSON elsewhere.
        pub format: LogFormat = LogFormat::Auto;
    }
}

choice! {
    /// How log lines look.
    pub enum LogFormat {
        /// Text on a terminal, JSON elsewhere.
        Auto = "auto",
        /// Lines of text.
        Text = "text",
        /// A JSON object a line.
        Json = "json",
    }
}

section! {
    /// `[server.tracing]`: where traces go.
    #[derive(Clone, Debug)]
    pub struct TracingConfig {
        /// The OTLP/HTTP collector, such as `http://127.0.0.1:4318`; no traces without it.
        pub endpoint: Option<url::Url> = None;
        /// The share of requests without a sampled parent that is traced, from 0 to 1.
        pub sample: f64 = 0.1;
    }
}

impl ServerConfig {
    /// The folder for everything that the server keeps.
    pub fn data_folder(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(|| Path::new(DATA).into())
    }
}

impl Config {
    /// The sections, in the order of the reference.
    pub fn sections() -> Vec<Section> {
        let own = [ServerConfig::SECTION, StoreConfig::SECTION];
        own.into_iter().chain(capability::settings().map(|settings| settings.section)).collect()
    }

    /// What the file says in these sections.
    pub fn of(document: &Document) -> Result<Self, Vec<Diagnostic>> {
        for settings in capability::settings() {
            settings.check(document)?;
        }
        Ok(Self {
            server: document.section(ServerConfig::SECTION.name)?,
            store: document.section(StoreConfig::SECTION.name)?,
            kubernetes: document.section(KubernetesConfig::SECTION.name)?,
            identity: document.section(IdentityConfig::SECTION.name)?,
            owners: document.section(OwnersConfig::SECTION.name)?,
            document: document.clone(),
        })
    }

    /// What the file says in a section that only its capability reads.
    pub fn section<T: DeserializeOwned + Default>(&self, section: &Section) -> T {
        // The table of capabilities has had it checked.
        self.document.section(section.name).unwrap_or_default()
    }

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
    fn every_section_has_a_name_of_its_own() {
        let mut names: Vec<_> = Config::sections().iter().map(|section| section.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Config::sections().len());
    }
}
