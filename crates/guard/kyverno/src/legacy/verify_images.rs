//! verifyImages rules. Whether images are named by digest can be told from the resource; signatures cannot be verified
//! yet, which is an error where an image is concerned, never a pass.

use palisade_jmespath::QueryError;
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
        Err(QueryError::NotFound { .. }) => return None,
        Err(error) => return Some(Answer::new(Verdict::Error, error.to_string())),
    };
    let groups = images.as_object().into_iter().flat_map(Map::values);
    let images: Vec<&Value> = groups.filter_map(Value::as_object).flat_map(Map::values).collect();
    let mut concerned = Vec::new();
    for entry in rules.as_array().unwrap_or_default() {
        concerned
            .extend(images.iter().filter(|image| is_concerned(entry, reference(image))).map(|image| (entry, *image)));
    }
    let unverified: Vec<&str> =
        concerned.iter().filter(|(entry, _)| needs_verification(entry)).map(|(_, image)| reference(image)).collect();
    if !unverified.is_empty() {
        let images = unverified.join("`, `");
        return Some(Answer::new(
            Verdict::Error,
            format!("the signatures of `{images}` cannot be verified: {NOT_YET}"),
        ));
    }
    let bare = concerned.iter().find(|(entry, image)| flag(entry, "verifyDigest") && image.get("digest").is_none());
    match bare {
        Some((_, image)) => Some(Answer::new(Verdict::Fail, format!("missing digest for {}", reference(image)))),
        None => (!concerned.is_empty()).then(|| Answer::new(Verdict::Pass, "image verified")),
    }
}

fn reference(image: &Value) -> &str {
    image.get("reference").and_then(Value::as_str).unwrap_or_default()
}

/// A setting that is on unless it is turned off.
fn flag(entry: &Value, key: &str) -> bool {
    entry.get(key).and_then(Value::as_bool).unwrap_or(true)
}

/// Whether an entry can do with nothing but the reference: it demands a digest and nothing else.
fn needs_verification(entry: &Value) -> bool {
    const ALONE: [&str; 8] = [
        "type",
        "imageReferences",
        "skipImageReferences",
        "verifyDigest",
        "mutateDigest",
        "required",
        "failureAction",
        "useCache",
    ];
    let settings = entry.as_object().into_iter().flat_map(Map::keys);
    flag(entry, "mutateDigest") || flag(entry, "required") || !settings.into_iter().all(|key| ALONE.contains(&&**key))
}

/// Whether an entry names the image and does not skip it.
fn is_concerned(entry: &Value, image: &str) -> bool {
    let listed = |key: &str| {
        let patterns = entry.get(key).and_then(Value::as_array).unwrap_or_default();
        patterns.iter().filter_map(Value::as_str).any(|pattern| wildcard::matches(pattern, image))
    };
    let single = entry.get("image").and_then(Value::as_str).is_some_and(|pattern| wildcard::matches(pattern, image));
    (single || listed("imageReferences")) && !listed("skipImageReferences")
}
