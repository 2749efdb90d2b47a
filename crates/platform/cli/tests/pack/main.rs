//! The built-in pack through the built command: every rule's own fixtures, a hardened deployment, the example company,
//! and agreement with public suites.

#![allow(clippy::disallowed_methods, reason = "tests take the time as it is")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that cannot set itself up has failed, and parity tests tell how much they compared"
)]

mod defaults;
mod example;
mod fixes;
mod parity_gatekeeper;
mod parity_kyverno;
mod parity_pod_security;
mod rules;
mod runner;
mod surroundings;
mod totality;
