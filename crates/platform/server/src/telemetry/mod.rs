//! Logs and traces of the process.
//!
//! Logs go to stderr: text on a terminal, a JSON object a line elsewhere. They carry request identifiers and names, never
//! bodies, tokens or secrets. Traces go to an OTLP/HTTP collector where one is configured; a collector that is away loses
//! spans and nothing else.

mod export;
mod parent;

use std::io::IsTerminal;

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{EnvFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogFormat, ServerConfig, TracingConfig};
use crate::error::ServerError;

pub(crate) use parent::follow;

/// The target of the spans that are exported; libraries' own spans are not.
pub(crate) const TARGET: &str = "palisade::request";

/// What has to be told when the process ends.
#[derive(Debug, Default)]
pub(crate) struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

/// Starts logging and tracing for the process. Where the process already has a subscriber (a test, a program that embeds
/// the server), that one stays.
pub(crate) fn start(config: &ServerConfig) -> Result<Telemetry, ServerError> {
    let filter = EnvFilter::builder().parse(&config.log.level).map_err(|error| ServerError::Config {
        key: "server.log.level",
        problem: format!("`{}` cannot be read: {error}", config.log.level),
        remedy: "write a level such as `info`, or directives such as `info,palisade_server=debug`",
    })?;
    let provider = config.tracing.endpoint.as_ref().map(|_| provider(&config.tracing)).transpose()?;
    let spans = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("palisade"))
            .with_filter(Targets::new().with_target(TARGET, LevelFilter::INFO))
    });
    let json = match config.log.format {
        LogFormat::Auto => !std::io::stderr().is_terminal(),
        LogFormat::Json => true,
        LogFormat::Text => false,
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if json {
        lines.json().flatten_event(true).with_span_list(false).boxed()
    } else {
        lines.with_ansi(std::io::stderr().is_terminal()).boxed()
    };
    let installed = tracing_subscriber::registry().with(spans).with(lines.with_filter(filter)).try_init();
    Ok(Telemetry { provider: provider.filter(|_| installed.is_ok()) })
}

fn provider(config: &TracingConfig) -> Result<SdkTracerProvider, ServerError> {
    let resource = Resource::builder().with_service_name("palisade").build();
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample)));
    let processor = export::processor(config)?;
    Ok(SdkTracerProvider::builder()
        .with_resource(resource)
        .with_sampler(sampler)
        .with_span_processor(processor)
        .build())
}

impl Telemetry {
    /// Whether spans are wanted.
    pub(crate) const fn traces(&self) -> bool {
        self.provider.is_some()
    }

    /// Sends what is left, for a few seconds at most.
    pub(crate) async fn finish(self) {
        if let Some(provider) = self.provider {
            let _ = tokio::task::spawn_blocking(move || provider.shutdown()).await;
        }
    }
}
