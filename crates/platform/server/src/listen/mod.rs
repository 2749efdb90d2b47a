//! Connections: accepted, bounded in number, timed, drained.
//!
//! One loop serves every listener. A client gets so long for its handshake and for the head of each request
//! ([`guarded`]), a bounded number of connections at once, and is told to go when the server stops: open requests are
//! answered, idle connections are closed. Deliberately absent: what requests mean.

mod guarded;
pub(crate) mod tls;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use palisade_identity::Peer;
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::config::Limits;
use crate::error::ServerError;
use crate::metrics::{self, Metrics};
use guarded::{Guarded, Progress};

/// How long a connection may be idle between requests: longer than clients keep idle connections (Go's 90 s), so that
/// it is the client who closes and no request crosses with our close.
const IDLE: Duration = Duration::from_secs(150);
/// Requests at once on one HTTP/2 connection.
const STREAMS: u32 = 256;

/// A bound socket and how connections to it are treated.
pub(crate) struct Listener {
    /// `api`, `admission`, `plain` or `agents`.
    pub(crate) name: &'static str,
    /// The socket.
    pub(crate) socket: TcpListener,
    /// TLS, where it speaks it.
    pub(crate) tls: Option<TlsAcceptor>,
    /// What a client may take.
    pub(crate) limits: Limits,
    /// Where connections are counted.
    pub(crate) metrics: Arc<Metrics>,
}

/// Binds `address`, which the configuration's `key` holds.
pub(crate) async fn bind(
    address: SocketAddr,
    purpose: &'static str,
    key: &'static str,
) -> Result<TcpListener, ServerError> {
    TcpListener::bind(address).await.map_err(|source| ServerError::Listen { purpose, address, key, source })
}

impl Listener {
    /// Serves until `stop`, then answers what is open for at most `drain`.
    pub(crate) async fn serve<H, F, B>(self, handler: H, stop: CancellationToken, drain: Duration)
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let slots = Arc::new(Semaphore::new(self.limits.connections));
        let (this, graceful) = (Arc::new(self), GracefulShutdown::new());
        while let Some((stream, address, slot)) = this.accept(&slots, &stop).await {
            let connection = Connection { listener: this.clone(), address, slot, watcher: graceful.watcher() };
            tokio::spawn(connection.run(stream, handler.clone()));
        }
        let name = this.name;
        drop(this);
        if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
            tracing::warn!(listener = name, "requests were still open when the time to finish them ended");
        }
    }

    /// The next connection; none once the server stops.
    async fn accept(
        &self,
        slots: &Arc<Semaphore>,
        stop: &CancellationToken,
    ) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                accepted = self.socket.accept() => accepted,
            };
            match (accepted, slots.clone().try_acquire_owned()) {
                (Ok((stream, address)), Ok(slot)) => return Some((stream, address, slot)),
                (Ok(_), Err(_)) => self.cut_off("limit"),
                (Err(error), _) => {
                    // Out of file descriptors, mostly: connections that end make room.
                    tracing::warn!(listener = self.name, %error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn cut_off(&self, reason: &'static str) {
        self.metrics.cut_off.get_or_create_owned(&metrics::CutOff { listener: self.name, reason }).inc();
    }
}

/// One accepted connection.
struct Connection {
    listener: Arc<Listener>,
    address: SocketAddr,
    slot: OwnedSemaphorePermit,
    watcher: Watcher,
}

impl Connection {
    async fn run<H, F, B>(self, stream: TcpStream, handler: H)
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let gauge =
            self.listener.metrics.connections.get_or_create_owned(&metrics::Listener { listener: self.listener.name });
        gauge.inc();
        // Answers are small and complete: waiting for more to send only delays them.
        let _ = stream.set_nodelay(true);
        match &self.listener.tls {
            None => self.http(stream, None, handler).await,
            Some(acceptor) => {
                let handshake = tokio::time::timeout(self.listener.limits.header_timeout, acceptor.accept(stream));
                match handshake.await {
                    Ok(Ok(stream)) => {
                        let chain = stream.get_ref().1.peer_certificates().map(Arc::from);
                        self.http(stream, chain, handler).await;
                    }
                    Ok(Err(error)) => {
                        tracing::debug!(listener = self.listener.name, client = %self.address, %error, "handshake failed");
                        self.listener.cut_off("handshake");
                    }
                    Err(_) => self.listener.cut_off("handshake"),
                }
            }
        }
        gauge.dec();
    }

    async fn http<I, H, F, B>(self, stream: I, certificates: Option<Arc<[CertificateDer<'static>]>>, handler: H)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let Self { listener, address, slot, watcher } = self;
        let (progress, peer) = (Progress::default(), Peer { address, certificates });
        let limits = &listener.limits;
        let io = TokioIo::new(Guarded::new(stream, progress.clone(), limits.header_timeout, limits.request_timeout));
        let service = service_fn(move |mut request: Request<Incoming>| {
            progress.head_complete(request.version() == Version::HTTP_2);
            request.extensions_mut().insert(peer.clone());
            let (answer, progress) = (handler(request), progress.clone());
            async move {
                let response = answer.await;
                progress.answered();
                Ok::<_, Infallible>(response)
            }
        });
        let connection = builder().serve_connection(io, service).into_owned();
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(listener = listener.name, client = %address, error, "connection ended");
            listener.cut_off("protocol");
        }
        drop(slot);
    }
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(64 << 10).half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10))
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(32 << 10);
    builder
}
