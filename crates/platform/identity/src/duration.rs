//! Times in the configuration: text such as `30s` or `1m30s`, as Kubernetes writes them.

use std::time::Duration;

use palisade_gotext::go_duration::GoDuration;
use serde::{Deserialize, Deserializer, de::Error};

/// Reads such a text.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let nanoseconds = GoDuration::parse(&text).ok().and_then(|duration| u64::try_from(duration.0).ok());
    nanoseconds
        .map(Duration::from_nanos)
        .ok_or_else(|| D::Error::custom(format_args!("`{text}` is no time: write one such as `30s` or `5m`")))
}
