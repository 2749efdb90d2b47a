//! The types that a key may have: what each is called in the reference, and how TOML writes a value of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use palisade_gotext::go_duration::GoDuration;
use palisade_model::Severity;
use serde::{Deserialize, Deserializer, de::Error};
use url::Url;

use crate::{Kind, Spanned};

/// A type that a key may have.
pub trait Setting {
    /// What a value is.
    const KIND: Kind;

    /// The value as TOML; none for what is absent and for tables, whose keys are shown instead.
    fn show(&self) -> Option<String>;
}

/// A text as TOML writes it.
pub fn quoted(text: &str) -> String {
    palisade_model::Value::from(text).to_json()
}

/// Reads a time as Kubernetes writes it: `30s`, `1m30s`.
pub fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let nanoseconds = GoDuration::parse(&text).ok().and_then(|duration| u64::try_from(duration.0).ok());
    nanoseconds
        .map(Duration::from_nanos)
        .ok_or_else(|| D::Error::custom(format_args!("`{text}` is no time: write one such as `30s` or `5m`")))
}

/// Implements [`Setting`] for types that show as one expression.
macro_rules! settings {
    ($($type:ty, $kind:expr, |$value:ident| $shown:expr;)+) => {
        $(impl Setting for $type {
            const KIND: Kind = $kind;

            fn show(&self) -> Option<String> {
                let $value = self;
                Some($shown)
            }
        })+
    };
}

settings! {
    bool, Kind::Flag, |value| value.to_string();
    u16, Kind::Integer(u16::MAX as u64), |value| value.to_string();
    u32, Kind::Integer(u32::MAX as u64), |value| value.to_string();
    u64, Kind::Integer(i64::MAX as u64), |value| value.to_string();
    usize, Kind::Integer(i64::MAX as u64), |value| value.to_string();
    f64, Kind::Number, |value| value.to_string();
    String, Kind::TEXT, |value| quoted(value);
    PathBuf, Kind::PATH, |value| quoted(&value.to_string_lossy());
    SocketAddr, Kind::Text("address"), |value| quoted(&value.to_string());
    Url, Kind::URL, |value| quoted(value.as_str());
    Duration, Kind::Text("time"), |value| quoted(&short(*value));
    Severity, Kind::Word(&["info", "low", "medium", "high", "critical"]), |value| quoted(&value.to_string());
}

impl<T: Setting> Setting for Option<T> {
    const KIND: Kind = T::KIND;

    fn show(&self) -> Option<String> {
        self.as_ref().and_then(T::show)
    }
}

impl<T: Setting> Setting for Vec<T> {
    const KIND: Kind = Kind::List(&T::KIND);

    fn show(&self) -> Option<String> {
        Some(format!("[{}]", self.iter().filter_map(T::show).collect::<Vec<_>>().join(", ")))
    }
}

impl<K, T: Setting> Setting for BTreeMap<K, T> {
    const KIND: Kind = Kind::Map("name", &T::KIND);

    fn show(&self) -> Option<String> {
        None
    }
}

impl<T: Setting> Setting for Spanned<T> {
    const KIND: Kind = T::KIND;

    fn show(&self) -> Option<String> {
        self.get_ref().show()
    }
}

/// A time in its largest unit that needs no fraction.
fn short(time: Duration) -> String {
    let seconds = time.as_secs();
    match (time.subsec_millis(), seconds % 60, seconds % 3600) {
        (0, 0, 0) if seconds > 0 => format!("{}h", seconds / 3600),
        (0, 0, _) if seconds > 0 => format!("{}m", seconds / 60),
        (0, ..) => format!("{seconds}s"),
        _ => format!("{}ms", time.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_as_the_file_writes_them() {
        assert_eq!(vec![PathBuf::from("a\"b"), "c".into()].show().unwrap(), r#"["a\"b", "c"]"#);
        assert_eq!(None::<u32>.show(), None);
        assert_eq!(0.5.show().unwrap(), "0.5");
        for (millis, text) in [(0, "0s"), (1500, "1500ms"), (90_000, "90s"), (600_000, "10m"), (7_200_000, "2h")] {
            assert_eq!(short(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn times_are_written_as_kubernetes_writes_them() {
        let read = |text: &str| duration(serde_json::Value::from(text)).map_err(|error| error.to_string());
        assert_eq!(read("1m30s"), Ok(Duration::from_secs(90)));
        assert!(read("-1s").unwrap_err().contains("such as `30s`"));
    }
}
