//! The API over HTTP, against a real server on SQLite: contract, hostile clients, teams kept apart, changes, speed.

mod capabilities;
mod catalogues;
mod changes;
mod contract;
mod desk;
mod hostile;
mod idempotency;
mod identity;
mod jobs;
mod latency;
mod schemathesis;
mod teams;
