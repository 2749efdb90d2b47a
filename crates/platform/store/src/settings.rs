//! Settings that are changed while the server runs: a key and a JSON document.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{Store, StoreError};

/// A setting.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// Key.
    pub key: String,
    /// Value.
    pub value: Value,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// Who changed it last.
    pub updated_by: String,
}

impl Store {
    /// The setting with this key.
    pub async fn setting(&self, key: &str) -> Result<Option<Setting>, StoreError> {
        todo!()
    }

    /// All settings by key, 500 at most.
    pub async fn settings(&self) -> Result<Vec<Setting>, StoreError> {
        todo!()
    }

    /// Writes a setting. With `expected`, only where its version is still that one (0: where there is none), else it
    /// is a conflict. Tells the feed of changes (topic `settings`).
    pub async fn put_setting(
        &self,
        key: &str,
        value: &Value,
        expected: Option<i64>,
        by: &str,
        now: Timestamp,
    ) -> Result<Setting, StoreError> {
        todo!()
    }

    /// Removes a setting; returns whether it was there.
    pub async fn delete_setting(&self, key: &str) -> Result<bool, StoreError> {
        todo!()
    }
}
