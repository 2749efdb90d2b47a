//! The label by which an object says itself when it is to be removed.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use palisade_model::Value;

/// The label: a duration since creation (`2h`, `7d`), a day (`2030-01-31`) or a moment (`2030-01-31T120000Z`).
pub(super) const TTL_LABEL: &str = "cleanup.kyverno.io/ttl";

/// When an object with the label is to be removed; `None` without it, an error where its text means nothing.
pub(super) fn expiry(object: &Value) -> Result<Option<Timestamp>, String> {
    let Some(text) = object.dig(["metadata", "labels", TTL_LABEL]).and_then(Value::as_str) else { return Ok(None) };
    if let Some(lifetime) = duration(text) {
        let created = object.dig(["metadata", "creationTimestamp"]).and_then(Value::as_str);
        let created: Timestamp = created
            .and_then(|created| created.parse().ok())
            .ok_or_else(|| format!("label `{TTL_LABEL}` counts from creation, and the object says nothing of it"))?;
        return created.checked_add(lifetime).map(Some).map_err(|error| error.to_string());
    }
    let moment = DateTime::strptime("%Y-%m-%dT%H%M%SZ", text)
        .or_else(|_| Date::strptime("%Y-%m-%d", text).map(|date| date.to_datetime(jiff::civil::Time::midnight())));
    match moment.and_then(|moment| moment.to_zoned(TimeZone::UTC)) {
        Ok(moment) => Ok(Some(moment.timestamp())),
        Err(_) => Err(format!("label `{TTL_LABEL}` has `{text}`: write a duration such as `2h`, a day or a moment")),
    }
}

/// Numbers with units, from nanoseconds to weeks.
fn duration(text: &str) -> Option<SignedDuration> {
    let mut total = SignedDuration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at_checked(digits)?;
        let letters = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at_checked(letters)?;
        let seconds = number.parse::<f64>().ok()? * seconds_of(unit)?;
        total = total.checked_add(SignedDuration::try_from_secs_f64(seconds).ok()?)?;
        rest = next.trim_start();
    }
    Some(total)
}

fn seconds_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        "w" => 604_800.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use palisade_model::json;

    use super::*;

    #[test]
    fn the_label_gives_the_moment_of_removal() {
        let moment = |ttl: &str| {
            let object = json!({"metadata": {"creationTimestamp": "2026-01-01T00:00:00Z", "labels": {TTL_LABEL: ttl}}});
            expiry(&object).map(|moment| moment.map(|moment| moment.to_string()).unwrap_or_default())
        };
        assert_eq!(moment("1h30m"), Ok("2026-01-01T01:30:00Z".to_owned()));
        assert_eq!(moment("2d"), Ok("2026-01-03T00:00:00Z".to_owned()));
        assert_eq!(moment("2030-01-31"), Ok("2030-01-31T00:00:00Z".to_owned()));
        assert_eq!(moment("2030-01-31T120000Z"), Ok("2030-01-31T12:00:00Z".to_owned()));
        assert!(moment("soon").is_err());
        assert_eq!(expiry(&json!({})), Ok(None));
    }
}
