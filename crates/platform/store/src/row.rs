//! A row that was read, by column: numbers and text as the databases have them, everything else made from these.

use jiff::Timestamp;
use palisade_model::{Severity, Str};
use serde::de::DeserializeOwned;
use sqlx::any::{AnyRow, AnyTypeInfoKind};
use sqlx::{Column as _, Row as _, ValueRef as _};

use crate::StoreError;
use crate::error::Failure;

pub(crate) struct Row(pub(crate) AnyRow);

impl Row {
    pub(crate) fn text(&self, column: &'static str) -> Result<String, Failure> {
        Ok(self.0.try_get(column)?)
    }

    /// Text of which many records share a copy.
    pub(crate) fn shared(&self, column: &'static str) -> Result<Str, Failure> {
        self.text(column).map(Str::from)
    }

    pub(crate) fn optional_text(&self, column: &'static str) -> Result<Option<String>, Failure> {
        Ok(self.0.try_get(column)?)
    }

    pub(crate) fn int(&self, column: &'static str) -> Result<i64, Failure> {
        Ok(self.0.try_get(column)?)
    }

    /// A number that is never negative.
    pub(crate) fn count(&self, column: &'static str) -> Result<u64, Failure> {
        u64::try_from(self.int(column)?).map_err(|error| corrupt(column, &error))
    }

    pub(crate) fn flag(&self, column: &'static str) -> Result<bool, Failure> {
        Ok(self.int(column)? != 0)
    }

    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp, Failure> {
        Timestamp::from_microsecond(self.int(column)?).map_err(|error| corrupt(column, &error))
    }

    pub(crate) fn optional_time(&self, column: &'static str) -> Result<Option<Timestamp>, Failure> {
        let number: Option<i64> = self.0.try_get(column)?;
        number.map(Timestamp::from_microsecond).transpose().map_err(|error| corrupt(column, &error))
    }

    /// A JSON document.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, Failure> {
        serde_json::from_str(&self.text(column)?).map_err(|error| corrupt(column, &error))
    }

    pub(crate) fn optional_json<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>, Failure> {
        self.optional_text(column)?.map(|_| self.json(column)).transpose()
    }

    /// One of an enumeration's words.
    pub(crate) fn word<T: DeserializeOwned>(&self, column: &'static str) -> Result<T, Failure> {
        serde_json::from_value(self.text(column)?.into()).map_err(|error| corrupt(column, &error))
    }

    pub(crate) fn severity(&self, column: &'static str) -> Result<Severity, Failure> {
        let rank = usize::try_from(self.int(column)?).map_err(|error| corrupt(column, &error))?;
        Severity::ALL.get(rank).copied().ok_or_else(|| corrupt(column, &"no such severity"))
    }

    /// A number that fits 32 bits; what is larger counts as the largest.
    pub(crate) fn small(&self, column: &'static str) -> Result<u32, Failure> {
        self.count(column).map(|number| u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// All columns that hold something, as JSON.
    pub(crate) fn document(&self) -> Result<serde_json::Map<String, serde_json::Value>, Failure> {
        let mut document = serde_json::Map::new();
        for (index, column) in self.0.columns().iter().enumerate() {
            let value = self.0.try_get_raw(index)?;
            if value.is_null() {
                continue;
            }
            let value = match value.type_info().kind() {
                AnyTypeInfoKind::Text => self.0.try_get::<String, _>(index)?.into(),
                _ => self.0.try_get::<i64, _>(index)?.into(),
            };
            document.insert(column.name().to_owned(), value);
        }
        Ok(document)
    }
}

/// How severities are stored: their rank, so that they can be compared.
pub(crate) fn rank(severity: Severity) -> i64 {
    (0..).zip(Severity::ALL).find(|(_, known)| *known == severity).map_or(0, |(rank, _)| rank)
}

fn corrupt(what: &'static str, reason: &dyn std::fmt::Display) -> Failure {
    Failure::Store(StoreError::Corrupt { what, reason: reason.to_string() })
}
