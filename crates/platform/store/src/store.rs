//! The handle that everything goes through.

use std::path::Path;

use jiff::Timestamp;

use crate::{StoreConfig, StoreError};

/// The state of the control plane. Cloning is cheap; all clones share their connections.
#[derive(Clone, Debug)]
pub struct Store {}

impl Store {
    /// Opens the store, creating the file of an SQLite store where there is none, and brings its schema up to date.
    pub async fn open(config: &StoreConfig, data_dir: &Path) -> Result<Self, StoreError> {
        todo!()
    }

    /// Asks the database whether it answers, for readiness.
    pub async fn check(&self) -> Result<(), StoreError> {
        todo!()
    }

    /// Removes what the retention no longer keeps, in bounded batches. Returns how many rows went.
    pub async fn prune(&self, now: Timestamp) -> Result<u64, StoreError> {
        todo!()
    }

    /// Writes everything to a file, as of one moment. Returns how many rows there were.
    pub async fn backup(&self, file: &Path) -> Result<u64, StoreError> {
        todo!()
    }

    /// Fills an empty store from a file that [`Store::backup`] wrote, from either database. Returns how many rows.
    pub async fn restore(config: &StoreConfig, data_dir: &Path, file: &Path) -> Result<u64, StoreError> {
        todo!()
    }

    /// Closes all connections, after what runs has ended.
    pub async fn close(&self) {
        todo!()
    }
}
