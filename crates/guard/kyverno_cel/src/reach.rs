//! Where policies of `policies.kyverno.io` are asked: `evaluation.admission`, `evaluation.background`, constraints.

use palisade_model::{Resource, Value};
use palisade_policy::{Matched, Phase, Reach};

use super::kind::Kind;
use super::mode;

/// Where the policy that `document` holds is asked about requests that `matches` select. Kinds that generate or remove
/// are asked by controllers, those about other payloads by whoever has such payloads.
pub(super) fn of(document: &Resource, matches: Vec<Matched>) -> Reach {
    let evaluation = document.object.dig(["spec", "evaluation"]);
    let enabled = |key: &str| {
        let given = evaluation.and_then(|evaluation| evaluation.dig([key, "enabled"]));
        given.and_then(Value::as_bool).unwrap_or(true)
    };
    let phase = Kind::of(document).map(Kind::phase);
    let about_objects = mode(document) == "Kubernetes";
    // Nobody asks for objects that exist already.
    let depends_on_user = document.object.get("spec").is_some_and(|spec| spec.to_json().contains("userInfo"));
    Reach {
        admission: about_objects && matches!(phase, Some(Phase::Validate | Phase::Mutate)) && enabled("admission"),
        background: about_objects && phase == Some(Phase::Validate) && enabled("background") && !depends_on_user,
        ..Reach::of(matches, document)
    }
}
