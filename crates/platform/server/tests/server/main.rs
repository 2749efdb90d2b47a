//! The server over real sockets, on SQLite, with policies made for the test.

#![allow(clippy::disallowed_methods, reason = "tests take the time as it is")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::format_collect,
    clippy::large_futures,
    clippy::duration_suboptimal_units,
    clippy::redundant_closure_for_method_calls,
    reason = "a test that cannot go on panics where it stands, and is read more often than it runs"
)]

mod admission;
mod api;
mod hostile;
mod jobs;
#[cfg(unix)]
mod lifecycle;
mod post;
mod telemetry;
