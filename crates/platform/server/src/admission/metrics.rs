//! What is counted and timed of reviews.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use crate::metrics::{Metrics, latency};

/// Labels of a review.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Labels {
    /// `validate` or `mutate`.
    pub(super) endpoint: &'static str,
    /// Such as `CREATE`; empty where the review could not be read.
    pub(super) operation: &'static str,
    /// `allowed`, `denied`, `invalid`, `timed-out`, `overloaded`, `failed`.
    pub(super) outcome: &'static str,
}

/// Counts and times of reviews.
pub(super) struct Reviews {
    answered: Family<Labels, Counter>,
    seconds: Histogram,
    /// Those that wait for a worker.
    pub(super) queued: Gauge,
    /// Those that are being evaluated.
    pub(super) evaluating: Gauge,
}

impl Reviews {
    /// None yet; `/metrics` tells of them.
    pub(super) fn registered(metrics: &Metrics) -> Self {
        let (queued, evaluating) = (Gauge::default(), Gauge::default());
        let own = Self { answered: Family::default(), seconds: latency(), queued, evaluating };
        metrics.register("admission_reviews", "Reviews that were answered", own.answered.clone());
        let help = "Seconds from the last byte of a review to the first of its answer";
        metrics.register("admission_review_seconds", help, own.seconds.clone());
        metrics.register("admission_queued", "Reviews that wait for a worker", own.queued.clone());
        metrics.register("admission_evaluating", "Reviews that are being evaluated", own.evaluating.clone());
        own
    }

    /// Counts a review that was not judged.
    pub(super) fn refused(&self, labels: &Labels) {
        self.answered.get_or_create_owned(labels).inc();
    }

    /// Records one answered review.
    pub(super) fn answered(&self, labels: &Labels, took: Duration) {
        self.refused(labels);
        self.seconds.observe(took.as_secs_f64());
    }
}
