//! The life of the process: start in order, be ready, stop in order.
//!
//! Start: sockets (so that an address that is taken is told at once), then what capabilities stand on (store, policies,
//! certificates, identity), then each capability's state, then the tasks of all, then the listeners. Stop: not ready, linger, listeners drained, tasks ended and their locks given back, journal moved, spans
//! sent, store closed. What the process answered before SIGKILL is on disk, and the next start goes on from there.

mod signals;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use palisade_identity::Identity;
use palisade_model::Str;
use palisade_runtime::jobs::{Jobs, Worker, WorkerOptions};
use palisade_runtime::{Clock, Health, Leader};
use palisade_store::{Store, StoreError};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::admission::Admission;
use crate::capability::{Brought, Ground, LAST_MOVE, Rendered};
use crate::cluster::{self, ClusterSide};
use crate::config::Config;
use crate::context::Context;
use crate::error::{ServerError, Tasks};
use crate::listen::{Listener, bind, tls};
use crate::metrics::Metrics;
use crate::owners::Owners;
use crate::policies::Policies;
use crate::router::router;
use crate::telemetry::{self, Telemetry};
use crate::wiring::{PolicyLoader, Wiring};
use crate::{capability, operations};

/// How long the store may take to be there at the start.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long jobs may go on when the server stops.
const DRAIN: Duration = Duration::from_secs(3);

/// Serves until the process is told to stop (SIGTERM or SIGINT), and returns after everything open was answered and
/// written. With a second signal it returns at once.
pub async fn run(config: Config, wiring: Wiring) -> Result<(), ServerError> {
    let mut signals = signals::Signals::new()?;
    let mut server = tokio::select! {
        server = Server::start(config, wiring) => server?,
        () = signals.next() => return Ok(()),
    };
    let failed = tokio::select! {
        failed = server.failed() => Some(failed),
        () = signals.next() => None,
    };
    tokio::select! {
        () = server.stop() => failed.map_or(Ok(()), Err),
        () = signals.next() => {
            tracing::warn!("a second signal ends the process at once");
            failed.map_or(Ok(()), Err)
        }
    }
}

/// Where a server listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// The API, health and metrics.
    pub api: SocketAddr,
    /// Admission over TLS.
    pub admission: SocketAddr,
    /// Admission without, where it was asked for.
    pub plain: Option<SocketAddr>,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    context: Context,
    addresses: Addresses,
    listeners: Tasks,
    background: Tasks,
    telemetry: Telemetry,
    brought: Vec<Brought>,
}

/// Bound sockets.
struct Sockets {
    api: TcpListener,
    admission: TcpListener,
    plain: Option<TcpListener>,
}

impl Sockets {
    async fn bind(config: &Config) -> Result<Self, ServerError> {
        let server = &config.server;
        Ok(Self {
            api: bind(server.api.listen, "the API", "server.api.listen").await?,
            admission: bind(server.admission.listen, "admission", "server.admission.listen").await?,
            plain: match server.admission.plain {
                Some(address) => Some(bind(address, "admission without TLS", "server.admission.plain").await?),
                None => None,
            },
        })
    }

    fn addresses(&self) -> Result<Addresses, ServerError> {
        let of = |socket: &TcpListener| {
            socket.local_addr().map_err(|source| ServerError::file("asking for the address of", "a socket", source))
        };
        Ok(Addresses {
            api: of(&self.api)?,
            admission: of(&self.admission)?,
            plain: self.plain.as_ref().map(of).transpose()?,
        })
    }
}

impl Server {
    /// Starts everything and returns as soon as requests are answered; readiness follows with the first ruleset.
    pub async fn start(config: Config, wiring: Wiring) -> Result<Self, ServerError> {
        config.validate()?;
        let telemetry = telemetry::start(&config.server)?;
        let sockets = Sockets::bind(&config).await?;
        let addresses = sockets.addresses()?;
        let folder = config.server.data_folder();
        create_private(&folder)?;
        let (mut listeners, mut background) = (Tasks::default(), Tasks::default());
        // What all capabilities stand on.
        let Wiring { loader, inventory, outside, clock } = wiring;
        let cluster = cluster::connect(&config.kubernetes, outside).await?;
        let context = context(config, (loader, clock), (&folder, cluster.is_connected()), &mut background).await?;
        let (tls, bundles) = admission_tls(&context, &cluster, &mut background).await?;
        let identity = identity(&context, addresses.api)?;
        // The capabilities, and what they do beside answering.
        let (document, streams, traces) = (Rendered::default(), listeners.stop(), telemetry.traces());
        let ground = Ground {
            context: &context,
            identity: &identity,
            cluster: &cluster,
            bundles,
            inventory,
            document: document.clone(),
            streams,
            traces,
        };
        let mut plug = capability::plug(&ground)?;
        let brought = plug.brought();
        plug.start(worker(&context), DRAIN, &mut background);
        // The listeners.
        if let Some(admission) = plug.admission() {
            listen_for_reviews(&context, &admission, sockets.admission, Some(tls), &mut listeners);
            if let Some(socket) = sockets.plain {
                listen_for_reviews(&context, &admission, socket, None, &mut listeners);
            }
        }
        identity.print_first_link(&mut std::io::stderr()).await;
        let router = router(&context, &identity, plug.endpoints(), &document);
        listen_for_api(&context, &identity, sockets.api, router, (&mut listeners, &mut background)).await?;
        context.health.holds("listeners");
        tracing::info!(api = %addresses.api, admission = %addresses.admission, data = %folder.display(), "palisade serves");
        Ok(Self { context, addresses, listeners, background, telemetry, brought })
    }

    /// Where it listens.
    pub const fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// What its routes and tasks share.
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// What each capability brought.
    pub fn brought(&self) -> &[Brought] {
        &self.brought
    }

    /// Waits until something that must not end has ended.
    pub async fn failed(&mut self) -> ServerError {
        tokio::select! {
            error = self.listeners.failed() => error,
            error = self.background.failed() => error,
        }
    }

    /// Stops: answers what is open, writes what is to be written, for as long as the configuration permits.
    pub async fn stop(self) {
        let server = &self.context.config.server;
        tracing::info!("stopping");
        self.context.health.fails("listeners", "the server is stopping");
        tokio::time::sleep(server.linger).await;
        self.listeners.end(server.drain + Duration::from_secs(1)).await;
        self.background.end(LAST_MOVE + Duration::from_secs(5)).await;
        self.context.store.close().await;
        self.telemetry.finish().await;
        tracing::info!("stopped");
    }
}

/// Opens the store and starts the policies.
async fn context(
    config: Config,
    (loader, clock): (Box<dyn PolicyLoader>, Clock),
    (folder, with_cluster): (&Path, bool),
    background: &mut Tasks,
) -> Result<Context, ServerError> {
    let (health, metrics) =
        (Arc::new(Health::expecting(&["store", "ruleset", "listeners"])), Arc::new(Metrics::default()));
    let store = open_store(&config, folder).await?;
    health.holds("store");
    let (policies, keeper) = Policies::start(with_cluster, loader, store.clone(), clock.clone(), background.stop());
    background.spawn("loading policies", keeper);
    let holder: Arc<str> = uuid::Uuid::now_v7().to_string().into();
    let leader = Leader::new(Arc::new(store.clone()), metrics.clone(), holder.clone());
    let jobs = Jobs::new(Arc::new(store.clone()));
    let context = Context {
        config: Arc::new(config),
        store,
        rulesets: policies.rulesets(),
        policies,
        owners: Owners::default(),
        holder,
        leader,
        jobs,
        clock,
        health,
        metrics,
    };
    Ok(context)
}

/// A database that is only not there yet is waited for.
async fn open_store(config: &Config, folder: &Path) -> Result<Store, ServerError> {
    let give_up = tokio::time::Instant::now() + PATIENCE;
    loop {
        match Store::open(&config.store, folder).await {
            Err(error @ StoreError::Unavailable { .. }) if tokio::time::Instant::now() < give_up => {
                tracing::warn!(%error, "waiting for the database");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            result => return Ok(result?),
        }
    }
}

/// The data folder holds what only its owner may read.
fn create_private(folder: &Path) -> Result<(), ServerError> {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(folder).map_err(|error| ServerError::file("creating", folder, error))
}

/// TLS for the admission listener, and the authorities by which it is to be trusted: from the operator's files, which no
/// authority of ours is behind, or our own.
async fn admission_tls(
    context: &Context,
    cluster: &ClusterSide,
    background: &mut Tasks,
) -> Result<(TlsAcceptor, watch::Receiver<Str>), ServerError> {
    const PURPOSE: &str = "admission";
    if let Some(files) = context.config.server.admission.tls.clone() {
        let bundle = std::fs::read_to_string(&files.certificate)
            .map_err(|error| ServerError::file("reading", &files.certificate, error))?;
        let certificate = tls::FileCertificate::open(PURPOSE, files)?;
        background.spawn("certificates", keep(certificate.clone(), background.stop()));
        return Ok((tls::acceptor(PURPOSE, certificate, None)?, watch::channel(bundle.into()).1));
    }
    let certificates = cluster.certificates(context).await?;
    let (resolver, bundles, clock) = (certificates.resolver(), certificates.bundles(), context.clock.clone());
    let kept = certificates.keep(move || clock.now(), background.stop());
    background.spawn("certificates", async move {
        kept.await;
        Ok(())
    });
    Ok((tls::acceptor(PURPOSE, resolver, None)?, bundles))
}

async fn keep(certificate: Arc<tls::FileCertificate>, stop: CancellationToken) -> Result<(), ServerError> {
    certificate.keep_current(stop).await;
    Ok(())
}

fn listen_for_reviews(
    context: &Context,
    admission: &Arc<Admission>,
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    listeners: &mut Tasks,
) {
    let name = if tls.is_some() { "admission" } else { "plain" };
    let limits = context.config.server.limits.clone();
    let listener = Listener { name, socket, tls, limits, metrics: context.metrics.clone() };
    let (stop, drain, admission) = (listeners.stop(), context.config.server.drain, admission.clone());
    listeners.spawn(name, async move {
        listener.serve(move |request| admission.clone().handle(request), stop, drain).await;
        Ok(())
    });
}

/// Who checks callers. People reach the server under `server.address`, or else at the listener's own.
fn identity(context: &Context, listens: SocketAddr) -> Result<Arc<Identity>, ServerError> {
    let server = &context.config.server;
    let scheme = if server.api.tls.is_some() { "https" } else { "http" };
    let own = || url::Url::parse(&format!("{scheme}://{listens}"));
    let address = server.address.clone().map_or_else(own, Ok).map_err(|error| ServerError::Config {
        key: "server.address",
        problem: error.to_string(),
        remedy: "write an address such as https://palisade.example.com",
    })?;
    let (folder, kept) = (server.data_folder(), (context.store.clone(), context.clock.clone()));
    Ok(Identity::open(&context.config.identity, &address, &folder, kept, capability::permissions())?)
}

/// The worker of this process's jobs, without any yet.
fn worker(context: &Context) -> Worker {
    let Context { jobs, holder, clock, metrics, .. } = context.clone();
    Worker::new(jobs, holder, clock, metrics, WorkerOptions::default())
}

async fn listen_for_api(
    context: &Context,
    identity: &Identity,
    socket: TcpListener,
    router: axum::Router,
    (listeners, background): (&mut Tasks, &mut Tasks),
) -> Result<(), ServerError> {
    let server = &context.config.server;
    let tls = match server.api.tls.clone() {
        None => None,
        Some(files) => {
            let certificate = tls::FileCertificate::open("the API", files)?;
            background.spawn("certificates", keep(certificate.clone(), background.stop()));
            Some(tls::acceptor("the API", certificate, None)?)
        }
    };
    if let Some(agents) = &server.agents {
        let certificate = tls::FileCertificate::open("agents", agents.tls.clone())?;
        background.spawn("certificates", keep(certificate.clone(), background.stop()));
        let socket = bind(agents.listen, "agents", "server.agents.listen").await?;
        let tls = tls::acceptor("agents", certificate, Some(identity.agent_verifier()?))?;
        serve_api(context, "agents", (socket, Some(tls)), router.clone(), listeners);
    }
    serve_api(context, "api", (socket, tls), router, listeners);
    Ok(())
}

/// Serves the API on one listener, behind the time-out of requests.
fn serve_api(
    context: &Context,
    name: &'static str,
    (socket, tls): (TcpListener, Option<TlsAcceptor>),
    router: axum::Router,
    listeners: &mut Tasks,
) {
    let server = &context.config.server;
    let (limits, metrics) = (server.limits.clone(), context.metrics.clone());
    let (stop, drain, time) = (listeners.stop(), server.drain, server.limits.request_timeout);
    let context = context.clone();
    let handler = move |request: http::Request<hyper::body::Incoming>| {
        let (router, context) = (router.clone(), context.clone());
        async move {
            if let Some(answer) = operations::answer(&context, request.method(), request.uri().path()) {
                return answer.map(axum::body::Body::new);
            }
            match tokio::time::timeout(time, router.oneshot(request.map(axum::body::Body::new))).await {
                Ok(Ok(response)) => response,
                Ok(Err(never)) => match never {},
                Err(_) => operations::late().map(axum::body::Body::new),
            }
        }
    };
    let listener = Listener { name, socket, tls, limits, metrics };
    listeners.spawn(name, async move {
        listener.serve(handler, stop, drain).await;
        Ok(())
    });
}
