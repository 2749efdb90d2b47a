//! Real servers for tests: a Kubernetes API server, PostgreSQL, an identity provider.
//!
//! What is tested against a double of a server is only tested against our idea of it. Each server here runs on loopback
//! in a folder of its own, ends with the value that started it, and ends too when the test process is killed. Where a
//! program is absent, `start` returns a [`Skip`] that has already said so on stderr:
//!
//! ```ignore
//! let Ok(cluster) = Cluster::start() else { return };
//! ```
//!
//! A server that is there and does not work is a failed test: everything else panics and shows the server's log.
//! Deliberately absent: an async runtime (waits block, with a deadline) and doubles of any server.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests take the time as it is"))]

mod cluster;
mod failure;
mod folder;
mod http;
mod kubeconfig;
mod oidc;
mod pki;
mod postgres;
mod process;
mod skip;
mod tools;
mod wait;

pub use cluster::{Cluster, Output};
pub use oidc::OidcProvider;
pub use postgres::Postgres;
pub use process::free_port;
pub use skip::Skip;
pub use tools::tool;
pub use wait::wait_for;
