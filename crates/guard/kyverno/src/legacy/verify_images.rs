//! verifyImages rules, whose signatures cannot be verified yet: an error where an image is concerned, never a pass.

use palisade_model::wildcard;
use palisade_model::{Map, Value, Verdict};

use super::context::RuleContext;
use super::validate::Answer;

const NOT_YET: &str = "signature verification arrives in a later release of Palisade";

/// The answer for the images of the resource that the rule names; `None` where it names none.
pub(super) fn judge(rules: &Value, context: &RuleContext<'_>) -> Option<Answer> {
    if context.is_delete() {
        return None;
    }
    let images = match context.query("images") {
        Ok(images) => images,
        Err(crate::jmespath::QueryError::NotFound { .. }) => return None,
        Err(error) => return Some(Answer::new(Verdict::Error, error.to_string())),
    };
    let groups = images.as_object().into_iter().flat_map(Map::values);
    let references = groups.filter_map(Value::as_object).flat_map(Map::values).filter_map(reference);
    let concerned: Vec<&str> = references.filter(|image| is_concerned(rules, image)).collect();
    (!concerned.is_empty()).then(|| {
        Answer::new(
            Verdict::Error,
            format!("the signatures of `{}` cannot be verified: {NOT_YET}", concerned.join("`, `")),
        )
    })
}

fn reference(image: &Value) -> Option<&str> {
    image.get("reference").and_then(Value::as_str)
}

/// Whether one of the rule's entries names the image and does not skip it.
fn is_concerned(rules: &Value, image: &str) -> bool {
    let listed = |entry: &Value, key: &str| {
        let patterns = entry.get(key).and_then(Value::as_array).unwrap_or_default();
        patterns.iter().filter_map(Value::as_str).any(|pattern| wildcard::matches(pattern, image))
    };
    let entries = rules.as_array().unwrap_or_default();
    entries.iter().any(|entry| {
        let single =
            entry.get("image").and_then(Value::as_str).is_some_and(|pattern| wildcard::matches(pattern, image));
        (single || listed(entry, "imageReferences")) && !listed(entry, "skipImageReferences")
    })
}
