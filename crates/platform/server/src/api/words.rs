//! The words of the vocabulary as the document lists them, and times.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use palisade_model::{Checkpoint, Severity, Verdict};
use palisade_store::{DecisionGroup, ExceptionState, FindingOrder, FindingState, PolicyStatus};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// A type of a few words.
pub(crate) trait Vocabulary {
    /// The schema's name.
    const NAME: &'static str;
    /// What the words are about.
    const ABOUT: &'static str;
    /// The words, as they are written.
    const WORDS: &'static [&'static str];
}

/// One of a few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Word<T>(pub(crate) T);

impl<T> From<T> for Word<T> {
    fn from(word: T) -> Self {
        Self(word)
    }
}

impl<T: Vocabulary> PartialSchema for Word<T> {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .description(Some(T::ABOUT))
            .enum_values(Some(T::WORDS.iter().copied()))
            .into()
    }
}

impl<T: Vocabulary> ToSchema for Word<T> {
    fn name() -> Cow<'static, str> {
        T::NAME.into()
    }
}

macro_rules! vocabulary {
    ($($alias:ident = $type:ty, $name:literal, $about:literal, [$($word:literal),*];)*) => {
        $(
            #[doc = $about]
            pub(crate) type $alias = Word<$type>;
            impl Vocabulary for $type {
                const NAME: &'static str = $name;
                const ABOUT: &'static str = $about;
                const WORDS: &'static [&'static str] = &[$($word),*];
            }
        )*
    };
}

/// By what findings are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CountBy {
    /// Policy.
    Policy,
    /// Team.
    Team,
    /// Service.
    Service,
    /// Namespace of the resource.
    Namespace,
    /// Kind of the resource.
    Kind,
    /// Severity.
    Severity,
    /// Whether they count.
    Disposition,
}

/// What happens to an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Operation {
    /// It is made.
    #[default]
    Create,
    /// It replaces an older one.
    Update,
    /// It goes away.
    Delete,
}

vocabulary! {
    CountByWord = CountBy, "CountBy", "By what findings are counted.",
        ["policy", "team", "service", "namespace", "kind", "severity", "disposition"];
    OperationWord = Operation, "Operation", "What happens to an object.", ["CREATE", "UPDATE", "DELETE"];
    VerdictWord = Verdict, "Verdict", "What a rule says of an object.", ["pass", "skip", "warn", "fail", "error"];
    SeverityWord = Severity, "Severity", "How much a violation matters.", ["info", "low", "medium", "high", "critical"];
    CheckpointWord = Checkpoint, "Checkpoint", "Where a policy was asked.", ["check", "admission", "scan"];
    StateWord = FindingState, "FindingState", "Whether a finding still stands.", ["open", "resolved", "all"];
    OrderWord = FindingOrder, "FindingOrder", "How findings are ordered.", ["newest", "severity"];
    DecisionGroupWord = DecisionGroup, "DecisionGroup", "By what decisions are counted.",
        ["team", "namespace", "kind", "policy"];
    ExceptionStateWord = ExceptionState, "ExceptionState", "Where an exception stands.",
        ["requested", "approved", "rejected", "revoked"];
    PolicyStatusWord = PolicyStatus, "PolicyStatus", "Whether a policy judges.", ["active", "rejected", "removed"];
}

/// A moment, written as RFC 3339 says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct Time(pub(crate) Timestamp);

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

    fn read_all<T: Vocabulary + serde::de::DeserializeOwned + Serialize>() {
        for word in T::WORDS {
            let read: T = serde_json::from_value((*word).into()).unwrap();
            assert_eq!(serde_json::to_value(read).unwrap(), *word);
        }
    }

    #[test]
    fn documented_words_are_the_ones_that_are_read_and_written() {
        read_all::<CountBy>();
        read_all::<Operation>();
        read_all::<Verdict>();
        read_all::<Severity>();
        read_all::<Checkpoint>();
        read_all::<FindingState>();
        read_all::<FindingOrder>();
        read_all::<DecisionGroup>();
        read_all::<ExceptionState>();
        read_all::<PolicyStatus>();
    }

    #[test]
    fn times_have_an_offset() {
        assert!(serde_json::from_str::<Time>("\"2027-01-31T12:00:00+02:00\"").is_ok());
        assert!(serde_json::from_str::<Time>("\"2027-01-31\"").is_err());
    }
}
