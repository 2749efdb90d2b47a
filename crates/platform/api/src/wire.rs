//! How a few things are written that types alone do not tell: words of a vocabulary, and times.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// The schema of one of a few words; [`vocabulary!`](crate::vocabulary) makes types that have it.
pub fn words(about: &str, words: &[&'static str]) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::new(Type::String))
        .description(Some(about))
        .enum_values(Some(words.iter().copied()))
        .into()
}

/// Types whose values are written as one of a few words: `Alias = Type, "SchemaName", "What it is.", ["a", "b"];`. The
/// words are those that the wrapped type reads and writes.
#[macro_export]
macro_rules! vocabulary {
    ($($alias:ident = $type:ty, $name:literal, $about:literal, [$($word:literal),*];)*) => {
        $(
            #[doc = $about]
            #[derive(Clone, Copy, Debug, PartialEq, Eq, ::serde::Serialize, ::serde::Deserialize)]
            #[serde(transparent)]
            pub(crate) struct $alias(pub(crate) $type);

            impl $alias {
                /// The words, as they are written.
                pub(crate) const WORDS: &'static [&'static str] = &[$($word),*];
            }

            impl From<$type> for $alias {
                fn from(word: $type) -> Self {
                    Self(word)
                }
            }

            impl ::utoipa::PartialSchema for $alias {
                fn schema() -> ::utoipa::openapi::RefOr<::utoipa::openapi::schema::Schema> {
                    $crate::wire::words($about, Self::WORDS)
                }
            }

            impl ::utoipa::ToSchema for $alias {
                fn name() -> ::std::borrow::Cow<'static, str> {
                    $name.into()
                }
            }
        )*
    };
}

/// A type that shows a record as the API writes it: the fields are those of the record, each converted as its type says, so
/// that nothing is copied by hand. `as optional` and `as list` convert what is inside; `as FIELD` shows another field.
#[macro_export]
macro_rules! view {
    (
        $(#[$attribute:meta])*
        $visible:vis struct $name:ident of $record:ty {
            $($(#[$about:meta])* $field:ident: $type:ty $(as $how:ident)?),* $(,)?
        }
    ) => {
        #[derive(Debug, ::serde::Serialize, ::utoipa::ToSchema)]
        $(#[$attribute])*
        $visible struct $name { $($(#[$about])* $field: $type),* }

        impl From<$record> for $name {
            fn from(record: $record) -> Self {
                Self { $($field: $crate::view!(@show record, $field $($how)?)),* }
            }
        }
    };
    (@show $record:ident, $field:ident) => { $record.$field.into() };
    (@show $record:ident, $field:ident optional) => { $record.$field.map(Into::into) };
    (@show $record:ident, $field:ident list) => { $record.$field.into_iter().map(Into::into).collect() };
    (@show $record:ident, $field:ident $other:ident) => { $record.$other.into() };
}

/// A moment, written as RFC 3339 says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Time(
    /// The moment.
    pub Timestamp,
);

impl From<Timestamp> for Time {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        let wrong = || format!("`{text}` is no time: expected RFC 3339, such as 2027-01-31T12:00:00Z");
        text.parse().map(Self).map_err(|_| serde::de::Error::custom(wrong()))
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("A moment, as RFC 3339 writes it."))
            .into()
    }
}

impl ToSchema for Time {
    fn name() -> Cow<'static, str> {
        "Time".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_an_offset() {
        assert!(serde_json::from_str::<Time>("\"2027-01-31T12:00:00+02:00\"").is_ok());
        assert!(serde_json::from_str::<Time>("\"2027-01-31\"").is_err());
    }
}
