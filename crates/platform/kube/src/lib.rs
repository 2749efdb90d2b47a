//! Everything that talks to a Kubernetes API server.
//!
//! A [`Connection`] sends requests in terms of our own `Value`. [`Caches`] follow the kinds that policies look up or that
//! are scanned, and answer look-ups as [`palisade_policy::Lookups`]. [`ClusterPolicies`] hands over the policy objects of
//! the cluster and says on each how loading it went. [`Registration`] keeps the webhook configurations as narrow as the
//! policies, with the certificates that [`Certificates`] makes and renews. The controllers ([`scan`], [`reports`],
//! [`generate`], [`cleanup`]) act on what exists. Deliberately absent: judging, which is `palisade-admission`'s, and state,
//! which the server keeps.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests take the time as it is"))]

mod api;
pub mod caches;
pub mod certificates;
pub mod cleanup;
mod connection;
pub mod controller;
pub mod definitions;
mod discovery;
mod error;
pub mod generate;
pub mod permissions;
pub mod policies;
pub mod reports;
pub mod scan;
pub mod webhooks;

pub use api::FIELD_MANAGER;
pub use caches::{Caches, Change, Event, Freshness, Outside, Projector, Sender, Subscription};
pub use certificates::Certificates;
pub use connection::{Connection, Enabled, KubernetesConfig, Reports};
pub use discovery::{Discovery, Kind, SubResource};
pub use error::KubeError;
pub use policies::{ClusterPolicies, Condition};
pub use webhooks::Registration;
