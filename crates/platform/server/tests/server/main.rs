//! The server over real sockets, on SQLite, with policies made for the test.

mod admission;
mod api;
mod hostile;
#[cfg(unix)]
mod lifecycle;
mod post;
mod telemetry;
