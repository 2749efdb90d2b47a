//! What every long-running part of Palisade needs, and none of them owns.
//!
//! | file | what |
//! |---|---|
//! | `clock` | the time, as an argument |
//! | `tasks` | background tasks that end together, and blocking work beside them |
//! | `leader` | tasks that one replica at a time runs, under a lease |
//! | `health` | the conditions behind `/readyz` |
//! | `queue` | things to look at, each once, the urgent first |
//! | `backoff` | how long to wait after a failure |
//! | `files` | files that are replaced as a whole |
//! | `http` | requests that go out, by the rules of `[network]` |
//! | `jobs` | work in the store that outlives the process |
//! | `spool` | records on disk, and from there into a sink |
//!
//! Deliberately absent: databases, clusters, metrics and configuration. What a part here needs of them is a trait that
//! the owner implements.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests take the time as it is"))]

pub mod backoff;
pub mod clock;
pub mod files;
pub mod health;
pub mod http;
pub mod jobs;
pub mod leader;
mod lease;
pub mod queue;
pub mod spool;
pub mod tasks;

pub use backoff::Backoff;
pub use clock::Clock;
pub use files::{Readers, replace_file};
pub use health::Health;
pub use http::Network;
pub use leader::{Leader, Lease, Locks};
pub use queue::{Queue, Urgency};
pub use spool::Spool;
pub use tasks::{TaskEnded, Tasks, blocking};

/// Why something that belongs to somebody else could not be done; whoever asked tries again later.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
