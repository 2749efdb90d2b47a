//! The servers under load, as processes: started, asked for their figures, ended.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::client::Target;
use crate::Context;

/// How long a server may take to be ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server, ended with this value.
pub(super) struct Server {
    child: Child,
    /// Where plain requests go.
    pub(super) address: SocketAddr,
    tls: SocketAddr,
    api: SocketAddr,
}

/// What `/metrics` says.
pub(super) struct Metrics {
    pub(super) p99_seconds: f64,
    pub(super) peak_bytes: f64,
    pub(super) loads: f64,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
pub(super) fn free_port() -> Result<SocketAddr, String> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.map_err(|error| format!("looking for a free port: {error}"))
}

impl Server {
    /// `palisade serve` with a new state.
    pub(super) fn palisade(context: &Context, folder: &Path, policies: &[String]) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("preparing `{}`: {error}", folder.display());
        let state = folder.join("state");
        if state.exists() {
            fs::remove_dir_all(&state).map_err(failed)?;
        }
        fs::create_dir_all(folder).map_err(failed)?;
        let (address, tls, api) = (free_port()?, free_port()?, free_port()?);
        let config = folder.join("palisade.toml");
        let text = format!("[server.admission]\nplain = \"{address}\"\n[server.log]\nlevel = \"warn\"\n");
        fs::write(&config, text).map_err(failed)?;
        let mut command = Command::new(&context.palisade);
        command.arg("--config").arg(&config).arg("serve").arg("--policies").args(policies);
        command.arg("--state").arg(&state);
        command.args(["--listen", &api.to_string(), "--admission-listen", &tls.to_string()]);
        let log = fs::File::create(folder.join("serve.log")).map_err(failed)?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let child = child.map_err(|error| format!("starting {}: {error}", context.palisade.display()))?;
        let server = Self { child, address, tls, api };
        server.wait("/readyz")?;
        Ok(server)
    }

    /// `opa run --server` with one policy, which answers a POST to `/`.
    pub(super) fn opa(program: &Path, rego: &Path, address: SocketAddr) -> Result<Self, String> {
        let mut command = Command::new(program);
        command.args(["run", "--server", "--log-level", "error", "--disable-telemetry", "--addr"]);
        command.arg(address.to_string()).arg(rego).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| format!("starting {}: {error}", program.display()))?;
        let server = Self { child, address, tls: address, api: address };
        server.wait("/health")?;
        Ok(server)
    }

    pub(super) const fn target(&self, tls: bool) -> Target {
        Target { address: if tls { self.tls } else { self.address }, tls, path: "/validate?timeout=10s" }
    }

    /// The figures since the start of the server.
    pub(super) fn metrics(&self) -> Result<Metrics, String> {
        let text = get(self.api, "/metrics").ok_or("the server does not tell its metrics")?;
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        let need = |name: &str| value(name).ok_or_else(|| format!("the metrics have no `{name}`"));
        Ok(Metrics {
            p99_seconds: quantile(&text, "palisade_admission_review_seconds_bucket", 0.99),
            peak_bytes: need("palisade_process_peak_resident_memory_bytes")?,
            loads: need("palisade_policy_loads")?,
        })
    }

    fn wait(&self, path: &str) -> Result<(), String> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if get(self.api, path).is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!("the server on {} is not ready after {} s", self.api, PATIENCE.as_secs()))
    }
}

/// The body of a successful answer.
fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| body.to_owned())
}

/// A quantile of a histogram, taken to lie evenly within its bucket.
fn quantile(text: &str, name: &str, share: f64) -> f64 {
    let bucket = |line: &str| {
        let (bound, count) = line.strip_prefix(name)?.strip_prefix("{le=\"")?.split_once("\"}")?;
        Some((bound.parse::<f64>().unwrap_or(f64::INFINITY), count.trim().parse::<f64>().ok()?))
    };
    let buckets: Vec<_> = text.lines().filter_map(bucket).collect();
    let wanted = buckets.last().map_or(0.0, |(_, all)| all * share);
    let mut before = (0.0, 0.0);
    for (bound, count) in buckets {
        if count >= wanted && count > before.1 {
            return before.0 + (bound - before.0) * (wanted - before.1) / (count - before.1);
        }
        before = (bound, count);
    }
    f64::NAN
}
