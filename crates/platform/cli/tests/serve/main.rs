//! The control plane as its users meet it: the built command, a real API server, `kubectl`, real databases.

#![allow(clippy::disallowed_methods, reason = "tests take the time as it is")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that cannot set itself up has failed, and these tests tell how much they did"
)]

mod cluster;
mod durability;
mod inventory;
mod server;
