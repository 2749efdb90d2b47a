//! Spans on their way to the collector.
//!
//! The SDK's own batch processor runs on a thread without a reactor, which an asynchronous HTTP client cannot use. So
//! spans go over a bounded queue to a task of ours; where the queue is full they are lost.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter as _, SpanProcessor};
use tokio::sync::mpsc;

use crate::config::TracingConfig;
use crate::error::ServerError;

/// Spans that wait at most.
const QUEUE: usize = 4096;
/// Spans in one request at most.
const BATCH: usize = 512;
/// How long spans gather.
const GATHER: Duration = Duration::from_secs(1);
/// How long the collector may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Sends spans to a task that exports them.
#[derive(Debug)]
pub(super) struct Processor {
    spans: mpsc::Sender<Message>,
    exporter: Mutex<Option<(SpanExporter, mpsc::Receiver<Message>)>>,
}

#[derive(Debug)]
enum Message {
    Span(Box<SpanData>),
    /// Send what is there, then say so.
    Flush(std::sync::mpsc::SyncSender<()>),
}

/// The processor for the configured collector.
pub(super) fn processor(config: &TracingConfig) -> Result<Processor, ServerError> {
    let endpoint = config.endpoint.as_ref().map(|url| url.as_str().trim_end_matches('/')).unwrap_or_default();
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{endpoint}/v1/traces"))
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(TIMEOUT)
        .build()
        .map_err(|error| ServerError::Config {
            key: "server.tracing.endpoint",
            problem: error.to_string(),
            remedy: "write the address of an OTLP/HTTP collector such as `http://127.0.0.1:4318`",
        })?;
    let (spans, received) = mpsc::channel(QUEUE);
    Ok(Processor { spans, exporter: Mutex::new(Some((exporter, received))) })
}

impl SpanProcessor for Processor {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        // A full queue loses the span.
        let _ = self.spans.try_send(Message::Span(Box::new(span)));
    }

    fn force_flush(&self) -> OTelSdkResult {
        let (done, wait) = std::sync::mpsc::sync_channel(1);
        self.spans.try_send(Message::Flush(done)).map_err(|error| OTelSdkError::InternalFailure(error.to_string()))?;
        wait.recv_timeout(TIMEOUT).map_err(|_| OTelSdkError::Timeout(TIMEOUT))
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        self.force_flush()
    }

    /// Called once, inside the runtime, when the provider is built: the exporter's task starts here.
    fn set_resource(&mut self, resource: &Resource) {
        let taken = self.exporter.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((mut exporter, received)) = taken {
            exporter.set_resource(resource);
            tokio::spawn(export(exporter, received));
        }
    }
}

async fn export(exporter: SpanExporter, mut received: mpsc::Receiver<Message>) {
    let mut messages = Vec::with_capacity(BATCH);
    while received.recv_many(&mut messages, BATCH).await > 0 {
        let (mut spans, mut flushes) = (Vec::new(), Vec::new());
        for message in messages.drain(..) {
            match message {
                Message::Span(span) => spans.push(*span),
                Message::Flush(done) => flushes.push(done),
            }
        }
        if !spans.is_empty()
            && let Err(error) = exporter.export(spans).await
        {
            tracing::debug!(%error, "spans were lost on the way to the collector");
        }
        if flushes.is_empty() {
            tokio::time::sleep(GATHER).await;
        }
        for done in flushes {
            // Nobody may wait for it any more.
            let _ = done.try_send(());
        }
    }
}
