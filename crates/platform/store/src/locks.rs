//! Leases for tasks that only one replica may do. Time is the database's, so that replicas with wrong clocks agree.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::{Store, StoreError};

/// A held lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lease {
    /// What is locked.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// Grows each time the lock changes hands, so that a holder who lost it unawares can be told apart.
    pub fence: i64,
    /// When it ends unless renewed, by the database's clock.
    pub expires_at: Timestamp,
}

impl Store {
    /// Takes a lock where it is free, expired or held by the same holder already (which renews it and keeps the fence).
    /// None where somebody else holds it.
    pub async fn acquire_lock(
        &self,
        name: &str,
        holder: &str,
        lifetime: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        todo!()
    }

    /// Extends a lease; none where it was lost, then stop at once what it guarded.
    pub async fn renew_lock(&self, lease: &Lease, lifetime: Duration) -> Result<Option<Lease>, StoreError> {
        todo!()
    }

    /// Gives a lock back; returns whether it was still held.
    pub async fn release_lock(&self, lease: &Lease) -> Result<bool, StoreError> {
        todo!()
    }

    /// Who holds a lock now.
    pub async fn lock(&self, name: &str) -> Result<Option<Lease>, StoreError> {
        todo!()
    }
}
