//! Many connections that send reviews and check every answer, on one thread.
//!
//! HTTP/1.1 is written and read by hand: requests are made once and sent as they are, so that what is measured is the
//! server and not the client.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use palisade_model::{Value, json};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// How long an answer may take before it counts as lost.
const LOST: Duration = Duration::from_secs(30);

/// Where requests go.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    pub(super) tls: bool,
    pub(super) path: &'static str,
}

/// How fast requests are sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// So many a second over all connections.
    Rate(u32),
    /// The next one as soon as there is an answer.
    Saturated,
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(rate) => write!(f, "paced at {rate}/s"),
            Self::Saturated => f.write_str("saturated"),
        }
    }
}

/// What the answers have to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Good pods pass, bad ones are denied.
    PodSecurity,
    /// All are denied, by one version of the policy or by the other.
    Flipping,
}

/// A run.
pub(super) struct Load {
    pub(super) target: Target,
    pub(super) pace: Pace,
    pub(super) time: Duration,
    pub(super) connections: usize,
    pub(super) kind: Kind,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    milliseconds: Vec<f32>,
    seconds: f64,
    pub(super) wrong: u64,
    pub(super) lost: u64,
    /// Answers by each version of a policy that is exchanged.
    pub(super) versions: [u64; 2],
}

impl Outcome {
    pub(super) fn rate(&self) -> f64 {
        self.milliseconds.len() as f64 / self.seconds
    }

    /// Milliseconds from sending to the whole answer.
    pub(super) fn percentile(&self, share: f64) -> f32 {
        let mut sorted = self.milliseconds.clone();
        sorted.sort_by(f32::total_cmp);
        sorted.get((sorted.len() as f64 * share) as usize).copied().unwrap_or(f32::NAN)
    }
}

impl Load {
    pub(super) fn run(self) -> Result<Outcome, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|error| format!("starting the load generator: {error}"))?.block_on(self.connections())
    }

    async fn connections(self) -> Result<Outcome, String> {
        let requests = Arc::new([request(self.target.path, true), request(self.target.path, false)]);
        let tls = self.target.tls.then(connector).transpose()?;
        let (load, started) = (Arc::new(self), Instant::now());
        let tasks: Vec<_> = (0..load.connections)
            .map(|index| tokio::spawn(connection(load.clone(), index, requests.clone(), tls.clone())))
            .collect();
        let mut all = Outcome::default();
        for task in tasks {
            let one = task.await.map_err(|error| format!("a connection of the load generator failed: {error}"))??;
            all.milliseconds.extend(one.milliseconds);
            all.wrong += one.wrong;
            all.lost += one.lost;
            all.versions = [all.versions[0] + one.versions[0], all.versions[1] + one.versions[1]];
        }
        all.seconds = started.elapsed().as_secs_f64();
        Ok(all)
    }
}

async fn connection(
    load: Arc<Load>,
    index: usize,
    requests: Arc<[Vec<u8>; 2]>,
    tls: Option<TlsConnector>,
) -> Result<Outcome, String> {
    let failed = |error: std::io::Error| format!("connecting to {}: {error}", load.target.address);
    let stream = TcpStream::connect(load.target.address).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    match tls {
        None => exchange(&load, index, &requests, stream).await,
        Some(connector) => {
            let name = ServerName::try_from("localhost").map_err(|error| error.to_string())?;
            exchange(&load, index, &requests, connector.connect(name, stream).await.map_err(failed)?).await
        }
    }
}

async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    load: &Load,
    index: usize,
    requests: &[Vec<u8>; 2],
    mut stream: S,
) -> Result<Outcome, String> {
    let (mut outcome, mut buffer) = (Outcome::default(), Vec::with_capacity(16 << 10));
    let interval = match load.pace {
        Pace::Rate(rate) => Duration::from_secs_f64(load.connections as f64 / f64::from(rate)),
        Pace::Saturated => Duration::ZERO,
    };
    // The connections take turns instead of sending all at once.
    let mut next = tokio::time::Instant::now() + interval.mul_f64(index as f64 / load.connections as f64);
    let end = tokio::time::Instant::now() + load.time;
    for round in index.. {
        if !interval.is_zero() {
            tokio::time::sleep_until(next).await;
            next += interval;
        }
        if tokio::time::Instant::now() >= end {
            break;
        }
        let good = round % 2 == 0;
        let [first, second] = requests;
        let sent = Instant::now();
        let answered = async {
            stream.write_all(if good { first } else { second }).await?;
            stream.flush().await?;
            answer(&mut stream, &mut buffer).await
        };
        let Ok(Ok(body)) = tokio::time::timeout(LOST, answered).await else {
            outcome.lost += 1;
            break;
        };
        outcome.milliseconds.push(sent.elapsed().as_secs_f32() * 1e3);
        check(load.kind, good, buffer.get(body).unwrap_or_default(), &mut outcome);
    }
    Ok(outcome)
}

fn check(kind: Kind, good: bool, body: &[u8], outcome: &mut Outcome) {
    let text = String::from_utf8_lossy(body);
    let (allowed, denied) = (text.contains("\"allowed\":true"), text.contains("\"allowed\":false"));
    let right = match kind {
        Kind::PodSecurity => allowed == good && denied != good,
        Kind::Flipping => {
            let by = [text.contains("version-1"), text.contains("version-2")];
            let [one, two] = &mut outcome.versions;
            *one += u64::from(by == [true, false]);
            *two += u64::from(by == [false, true]);
            denied && by.iter().filter(|by| **by).count() == 1
        }
    };
    outcome.wrong += u64::from(!right);
}

/// Reads one answer into `buffer`; where its body is in it.
async fn answer<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>) -> std::io::Result<std::ops::Range<usize>> {
    buffer.clear();
    loop {
        if let Some(body) = body_of(buffer).filter(|body| body.end <= buffer.len()) {
            return Ok(body);
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Where the body will be, once the head is there.
fn body_of(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = std::str::from_utf8(bytes.get(..head)?).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    })?;
    Some(head + 4..head + 4 + length)
}

/// A request with the review of a pod, about 3 KB.
fn request(path: &str, good: bool) -> Vec<u8> {
    let container = |name: &str| {
        json!({
            "name": name, "image": "registry.example/shop/web:1.4.2", "imagePullPolicy": "IfNotPresent",
            "args": ["--listen=0.0.0.0:8080", "--log-format=json"],
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
            "env": [{"name": "MODE", "value": "production"}],
            "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 10},
            "securityContext": {
                "allowPrivilegeEscalation": !good, "privileged": !good, "readOnlyRootFilesystem": true,
                "runAsNonRoot": true, "capabilities": {"drop": ["ALL"]}
            },
            "volumeMounts": [{"name": "data", "mountPath": "/data"}]
        })
    };
    let review = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "operation": "CREATE", "namespace": "shop", "name": "web",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "requestKind": {"group": "", "version": "v1", "kind": "Pod"},
            "requestResource": {"group": "", "version": "v1", "resource": "pods"},
            "userInfo": {"username": "alice@example.com", "groups": ["builders", "system:authenticated"]},
            "object": {
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web", "team": "shop"}},
                "spec": {
                    "containers": [container("web"), container("proxy")], "hostNetwork": !good,
                    "volumes": [{"name": "data", "emptyDir": {}}], "serviceAccountName": "web",
                    "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
                    "restartPolicy": "Always", "terminationGracePeriodSeconds": 30
                }
            },
            "oldObject": Value::Null, "dryRun": false, "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"}
        }
    });
    let body = review.to_json();
    let type_and_length = format!("content-type: application/json\r\ncontent-length: {}", body.len());
    format!("POST {path} HTTP/1.1\r\nhost: bench\r\n{type_and_length}\r\n\r\n{body}").into_bytes()
}

fn connector() -> Result<TlsConnector, String> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Takes the server's own certificate for what it is: this program started the server.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
