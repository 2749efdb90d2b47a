//! The API over HTTP, against a real server on SQLite: contract, hostile clients, teams kept apart, events, speed.

mod catalogues;
mod contract;
mod desk;
mod events;
mod hostile;
mod idempotency;
mod identity;
mod latency;
mod schemathesis;
mod teams;
