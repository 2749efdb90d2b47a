//! This crate against a real API server, with `kubectl` as the hand of a user.

#![allow(clippy::disallowed_methods, reason = "tests take the time as it is")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on has failed")]

mod caches;
mod certificates;
mod cleanup;
mod controllers;
mod generate;
mod permissions;
mod policies;
mod reports;
mod scan;
mod webhooks;
mod world;
