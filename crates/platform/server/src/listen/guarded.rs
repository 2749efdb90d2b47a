//! A stream that gives up on slow clients.
//!
//! The head of a request has to be complete so long after its first byte (after the connection's first moment, for the
//! first request), and written bytes have to leave within a time. Between requests a connection may rest; hyper's own
//! time-out, which cannot tell resting from trickling, bounds that. Bodies are bounded by what reads them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// The head of a request is being read.
const HEAD: u8 = 0;
/// A request is being answered.
const BUSY: u8 = 1;
/// Nothing was read since the last answer.
const RESTING: u8 = 2;
/// HTTP/2: frames of several requests interleave, and pings find dead clients.
const MULTIPLEXED: u8 = 3;

/// How far a connection is, shared by the stream and what serves it.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<AtomicU8>);

impl Progress {
    /// A request has arrived with all its headers.
    pub(super) fn head_complete(&self, multiplexed: bool) {
        self.0.store(if multiplexed { MULTIPLEXED } else { BUSY }, Ordering::Relaxed);
    }

    /// An answer was made.
    pub(super) fn answered(&self) {
        let _ = self.0.compare_exchange(BUSY, RESTING, Ordering::Relaxed, Ordering::Relaxed);
    }

    fn is(&self, state: u8) -> bool {
        self.0.load(Ordering::Relaxed) == state
    }
}

/// A stream with time-outs.
#[derive(Debug)]
pub(super) struct Guarded<S> {
    stream: S,
    progress: Progress,
    head_timeout: Duration,
    write_timeout: Duration,
    head: Pin<Box<Sleep>>,
    write: Option<Pin<Box<Sleep>>>,
}

impl<S> Guarded<S> {
    pub(super) fn new(stream: S, progress: Progress, head_timeout: Duration, write_timeout: Duration) -> Self {
        let head = Box::pin(tokio::time::sleep(head_timeout));
        Self { stream, progress, head_timeout, write_timeout, head, write: None }
    }

    /// Passes on what a write came to, or its failure where it made no progress for too long.
    fn watch_write<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.write = None;
            return result;
        }
        let timeout = self.write_timeout;
        let timer = self.write.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        timer.as_mut().poll(cx).map(|()| Err(late("the client does not read its answer")))
    }
}

fn late(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, why)
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let result = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if result.is_ready() && this.progress.is(RESTING) {
            this.progress.0.store(HEAD, Ordering::Relaxed);
            this.head.as_mut().reset(Instant::now() + this.head_timeout);
        }
        if this.progress.is(HEAD) && result.is_pending() && this.head.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(late("the client does not send its request")));
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch_write(cx, result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.watch_write(cx, result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.watch_write(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watch_write(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
