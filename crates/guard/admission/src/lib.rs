//! Kubernetes admission without a server: reviews in, decisions out.
//!
//! A webhook reads bytes into a [`Review`], asks a ruleset ([`validate`], [`mutate`]), and writes the
//! [`palisade_model::Decision`] back as the API server expects it. What judges is `palisade-verdict`, the same for files and
//! the background scan; here are the protocol and the words. Deliberately absent: sockets, clocks, watch caches.

mod deciding;
mod json;
mod message;
mod response;
mod review;
mod roles;

pub use deciding::{decide, mutate, validate};
pub use response::{answer_failure, response};
pub use review::{Limits, Review, ReviewError, Trouble};
pub use roles::{Roles, roles_of};
