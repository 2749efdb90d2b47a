//! Path, time-out and body of a request, each bounded before anything is made of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use palisade_policy::FailurePolicy;
use serde::Deserialize;

use super::status;
use crate::config::AdmissionConfig;

/// Bytes of all bodies together that are held at once.
const HELD: usize = 128 << 20;
/// The longest time-out that Kubernetes lets a webhook have.
const LONGEST: Duration = Duration::from_secs(30);

/// What is asked of the policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Validate,
    Mutate,
}

impl Endpoint {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Validate => "validate",
            Self::Mutate => "mutate",
        }
    }
}

/// A request that is for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) endpoint: Endpoint,
    /// The policies with this failure policy only; all where the path names none.
    pub(super) asked: Option<FailurePolicy>,
    /// How long the answer may take.
    pub(super) time: Duration,
}

impl Call {
    pub(super) fn of(request: &Request<Incoming>, config: &AdmissionConfig) -> Result<Self, Refused> {
        let (endpoint, asked) = path(request.uri().path()).ok_or(Refused::Path)?;
        if request.method() != Method::POST {
            return Err(Refused::Method);
        }
        let length =
            request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        if length.is_some_and(|length: u64| length > config.max_review_bytes as u64) {
            return Err(Refused::LargeBody);
        }
        let given = request.uri().query().and_then(timeout);
        let time = given.map_or(config.timeout, |given| given.min(LONGEST));
        Ok(Self { endpoint, asked, time: time.saturating_sub(margin(time)) })
    }

    /// What happens to requests that cannot be judged: they are denied unless the path says otherwise.
    pub(super) fn failure_policy(&self) -> FailurePolicy {
        self.asked.unwrap_or(FailurePolicy::Fail)
    }
}

/// Of the time that the API server waits, the part that the way there and back may take.
fn margin(time: Duration) -> Duration {
    (time / 10).clamp(Duration::from_millis(50), Duration::from_secs(1)).min(time / 2)
}

/// `/validate` or `/mutate`, alone or with `/fail` or `/ignore`.
fn path(path: &str) -> Option<(Endpoint, Option<FailurePolicy>)> {
    let mut segments = path.trim_matches('/').split('/');
    let endpoint = match segments.next()? {
        "validate" => Endpoint::Validate,
        "mutate" => Endpoint::Mutate,
        _ => return None,
    };
    let asked = match segments.next() {
        None => None,
        Some("fail") => Some(FailurePolicy::Fail),
        Some("ignore") => Some(FailurePolicy::Ignore),
        Some(_) => return None,
    };
    segments.next().is_none().then_some((endpoint, asked))
}

/// `timeout=10s`, as the API server adds it.
fn timeout(query: &str) -> Option<Duration> {
    let text = query.split('&').find_map(|pair| pair.strip_prefix("timeout="))?;
    let nanoseconds = palisade_gotext::go_duration::GoDuration::parse(text).ok()?.0;
    u64::try_from(nanoseconds).ok().filter(|nanoseconds| *nanoseconds > 0).map(Duration::from_nanos)
}

/// A request that is not judged, and is answered without a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Path,
    Method,
    LargeBody,
    SlowBody,
    BrokenBody,
    /// Too much is held already.
    Crowded,
}

impl Refused {
    pub(super) const fn outcome(self) -> &'static str {
        match self {
            Self::Path | Self::Method | Self::LargeBody | Self::BrokenBody => "invalid",
            Self::SlowBody => "timed-out",
            Self::Crowded => "overloaded",
        }
    }

    pub(super) fn response(self) -> Response<Full<Bytes>> {
        let (code, text) = match self {
            Self::Path => (StatusCode::NOT_FOUND, "reviews go to /validate or /mutate"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "reviews are sent by POST"),
            Self::LargeBody => {
                (StatusCode::PAYLOAD_TOO_LARGE, "the review is larger than `server.admission.max-review-bytes`")
            }
            Self::SlowBody => (StatusCode::REQUEST_TIMEOUT, "the review did not arrive in time"),
            Self::BrokenBody => (StatusCode::BAD_REQUEST, "the review did not arrive whole"),
            Self::Crowded => (StatusCode::SERVICE_UNAVAILABLE, "too many reviews are being judged"),
        };
        let mut response = status(code, text);
        if self != Self::Crowded {
            // What is still to come of the body is not read.
            response.headers_mut().insert(header::CONNECTION, http::HeaderValue::from_static("close"));
        }
        response
    }
}

/// Counts what is held, so that many large bodies cannot fill the memory together.
#[derive(Debug, Default)]
pub(super) struct Bodies(Arc<AtomicUsize>);

/// A body that was read, counted for as long as it lives.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) bytes: Bytes,
    _share: Share,
}

#[derive(Debug)]
struct Share {
    all: Arc<AtomicUsize>,
    own: usize,
}

impl Share {
    fn add(&mut self, bytes: usize) -> Result<(), Refused> {
        self.own += bytes;
        let before = self.all.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) > HELD { Err(Refused::Crowded) } else { Ok(()) }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.all.fetch_sub(self.own, Ordering::Relaxed);
    }
}

impl Bodies {
    /// Reads a body of at most `limit` bytes.
    pub(super) async fn read(&self, mut body: Incoming, limit: usize) -> Result<Held, Refused> {
        let mut share = Share { all: self.0.clone(), own: 0 };
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame.map_err(|_| Refused::BrokenBody)?.into_data() else { continue };
            share.add(frame.len())?;
            if share.own > limit {
                return Err(Refused::LargeBody);
            }
            // Most reviews come in one piece and are not copied.
            if first.is_empty() && rest.is_empty() {
                first = frame;
                continue;
            }
            if rest.is_empty() {
                rest.reserve(body.size_hint().lower().min(limit as u64) as usize + first.len() + frame.len());
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&frame);
        }
        let bytes = if rest.is_empty() { first } else { rest.freeze() };
        Ok(Held { bytes, _share: share })
    }
}

/// The identifier of a review's request, where nothing else of it could be read; empty where even that cannot.
pub(super) fn uid_of(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Review {
        request: Request,
    }
    #[derive(Deserialize)]
    struct Request {
        uid: String,
    }
    serde_json::from_slice::<Review>(body).map(|review| review.request.uid).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_say_what_is_asked_of_whom() {
        assert_eq!(path("/validate"), Some((Endpoint::Validate, None)));
        assert_eq!(path("/mutate/ignore"), Some((Endpoint::Mutate, Some(FailurePolicy::Ignore))));
        assert_eq!(path("/validate/fail/"), Some((Endpoint::Validate, Some(FailurePolicy::Fail))));
        assert!(["/", "/validate/x", "/validate/fail/x", "/metrics"].iter().all(|text| path(text).is_none()));
    }

    #[test]
    fn timeouts_leave_time_for_the_way_back() {
        assert_eq!(timeout("timeout=10s"), Some(Duration::from_secs(10)));
        assert_eq!(timeout("dry=1&timeout=500ms"), Some(Duration::from_millis(500)));
        assert_eq!((timeout("timeout=-1s"), timeout("timeout=x"), timeout("")), (None, None, None));
        assert_eq!(margin(Duration::from_secs(30)), Duration::from_secs(1));
        assert_eq!(margin(Duration::from_millis(60)), Duration::from_millis(30));
    }

    #[test]
    fn identifiers_are_found_in_whole_reviews_only() {
        assert_eq!(uid_of(br#"{"kind":"AdmissionReview","request":{"object":{"a":[1]},"uid":"u-1"}}"#), "u-1");
        assert_eq!(uid_of(br#"{"request":{"uid":"u-1""#), "");
    }
}
