//! The feed of what happened, for those who watch. Numbers grow in the order in which changes became visible, so
//! that who has read up to one number misses none below it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{Store, StoreError};

/// A change to tell of.
#[derive(Clone, Debug, PartialEq)]
pub struct NewChange {
    /// What it is about, such as `findings`.
    pub topic: String,
    /// The team that it concerns; none concerns everybody.
    pub team: Option<String>,
    /// What happened.
    pub body: Value,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Its number.
    pub id: i64,
    /// When.
    pub time: Timestamp,
    /// What it is about.
    pub topic: String,
    /// The team that it concerns; none concerns everybody.
    pub team: Option<String>,
    /// What happened.
    pub body: Value,
}

impl Store {
    /// Tells of changes; returns the number of the last one.
    pub async fn append_changes(&self, changes: &[NewChange], now: Timestamp) -> Result<i64, StoreError> {
        todo!()
    }

    /// The changes after a number, oldest first, `limit` (500 at most) of them.
    pub async fn changes_after(&self, id: i64, limit: u32) -> Result<Vec<Change>, StoreError> {
        todo!()
    }

    /// The number of the last change, 0 where there was none.
    pub async fn last_change(&self) -> Result<i64, StoreError> {
        todo!()
    }

    /// The number of the oldest change that is still kept. Who has read less than the number before it missed some.
    pub async fn oldest_change(&self) -> Result<Option<i64>, StoreError> {
        todo!()
    }
}
