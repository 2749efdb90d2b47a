//! A decision as the bytes of an AdmissionReview response.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use palisade_model::{Decision, Disposition, Verdict, patch};
use palisade_policy::FailurePolicy;
use serde::{Serialize, Serializer};

use crate::Review;
use crate::message::cut;

/// The most bytes of a reason in an answer that is no decision.
const REASON: usize = 1_024;
/// The most bytes of a warning.
const WARNING: usize = 256;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    kind: &'static str,
    api_version: &'static str,
    response: Response<'a>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    uid: &'a str,
    allowed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patch: Option<String>,
    #[serde(skip_serializing_if = "Annotations::is_empty")]
    audit_annotations: Annotations<'a>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    warnings: &'a [String],
}

#[derive(Serialize)]
struct Status<'a> {
    #[serde(rename = "status")]
    outcome: &'static str,
    message: &'a str,
    reason: &'static str,
    code: u16,
}

#[derive(Default)]
struct Annotations<'a>(&'a [(palisade_model::Str, palisade_model::Str)]);

impl Annotations<'_> {
    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Annotations<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (&**key, &**value)))
    }
}

impl<'a> Status<'a> {
    const fn new(code: u16, message: &'a str) -> Self {
        let reason = match code {
            400 => "BadRequest",
            403 => "Forbidden",
            _ => "InternalError",
        };
        Self { outcome: "Failure", message, reason, code }
    }
}

/// The answer to a review: what the decision says, with the patch that turns the object under review into the mutated
/// one.
pub fn response(decision: &Decision, review: &Review) -> Vec<u8> {
    let patched = decision.patched.as_ref().filter(|_| decision.allowed);
    let patch = patched.map(|object| STANDARD.encode(patch::diff(&review.request.object, object).to_json()));
    write(Response {
        uid: &review.request.uid,
        allowed: decision.allowed,
        status: (!decision.allowed).then(|| Status::new(code(decision), &decision.message)),
        patch_type: patch.is_some().then_some("JSONPatch"),
        patch,
        audit_annotations: Annotations(&decision.annotations),
        warnings: &decision.warnings,
    })
}

/// 403 where a rule is broken; 500 where only rules that could not be evaluated stand in the way.
fn code(decision: &Decision) -> u16 {
    let counted = |verdict: Verdict| {
        decision
            .findings
            .iter()
            .any(|finding| finding.verdict == verdict && matches!(finding.disposition, Disposition::Counted))
    };
    if counted(Verdict::Error) && !counted(Verdict::Fail) { 500 } else { 403 }
}

/// The answer to a request that could not be judged: denied with the HTTP status `code` (400 where the review is at
/// fault, 500 else), or let through with a warning.
pub fn answer_failure(uid: &str, policy: FailurePolicy, code: u16, why: &str) -> Vec<u8> {
    let message = cut(why, REASON);
    match policy {
        FailurePolicy::Fail => {
            write(Response { uid, allowed: false, status: Some(Status::new(code, &message)), ..Response::default() })
        }
        FailurePolicy::Ignore => {
            let warnings = [cut(&format!("not judged: {why}"), WARNING)];
            write(Response { uid, allowed: true, warnings: &warnings, ..Response::default() })
        }
    }
}

fn write(response: Response<'_>) -> Vec<u8> {
    let envelope = Envelope { kind: "AdmissionReview", api_version: "admission.k8s.io/v1", response };
    // Text and numbers always serialise.
    serde_json::to_vec(&envelope).unwrap_or_default()
}
