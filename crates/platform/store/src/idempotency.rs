//! Idempotency keys: a request that is sent again gets the answer of the first one instead of acting twice.

use jiff::Timestamp;

use crate::{Store, StoreError};

/// What makes a request the same request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// Who asks.
    pub caller: String,
    /// Method and path.
    pub route: String,
    /// The key that the caller chose.
    pub key: String,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// Nothing: act, then call [`Store::finish_request`] or [`Store::abandon_request`].
    New,
    /// It was answered.
    Answered {
        /// HTTP status.
        status: u16,
        /// Response body.
        body: String,
    },
    /// The first request is still being worked on.
    InProgress,
    /// The key was used with another request.
    Mismatch,
}

impl Store {
    /// Claims a key for a request with this digest. A claim that is neither finished nor abandoned within a minute may
    /// be claimed again, so that a crash locks nobody out.
    pub async fn begin_request(
        &self,
        key: &IdempotencyKey,
        digest: &str,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<Idempotency, StoreError> {
        todo!()
    }

    /// Keeps the answer to a claimed request.
    pub async fn finish_request(&self, key: &IdempotencyKey, status: u16, body: &str) -> Result<(), StoreError> {
        todo!()
    }

    /// Gives a claim back, where the request failed in a way that may be tried again.
    pub async fn abandon_request(&self, key: &IdempotencyKey) -> Result<(), StoreError> {
        todo!()
    }
}
