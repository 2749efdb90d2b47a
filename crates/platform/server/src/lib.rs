//! The control plane's server: admission, the API, identity, owners, health and metrics in one process.
//!
//! [`run`] takes a [`Config`] (every key has a default) and the [`Wiring`] that its caller supplies, and serves until
//! it is told to stop. What judges is a [`palisade_verdict::Ruleset`] that arrives over a watch channel and is
//! replaced as a whole; what is kept is in `palisade-store`; what talks to a cluster is `palisade-kube`. Deliberately
//! absent: policy languages (the caller loads policies), command-line arguments, and the evaluation itself.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests take the time as it is"))]

mod admission;
pub mod capability;
mod cluster;
pub mod config;
mod context;
pub mod error;
mod journal;
mod listen;
mod metrics;
mod operations;
mod owners;
mod policies;
mod router;
mod serve;
mod telemetry;
mod wiring;

pub use capability::{CAPABILITIES, Capability, Inventory, Sight};
pub use config::Config;
pub use context::Context;
pub use error::ServerError;
pub use owners::OwnersConfig;
pub use palisade_identity::IdentityConfig;
pub use palisade_kube::{KubernetesConfig, Outside};
pub use palisade_runtime::Clock;
pub use palisade_store::StoreConfig;
pub use policies::{Policies, PolicyStatus};
pub use serve::{Addresses, Server, run};
pub use wiring::{PolicyLoader, Wiring};
