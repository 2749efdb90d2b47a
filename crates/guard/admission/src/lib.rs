//! Kubernetes admission without a server: reviews in, decisions out.
//!
//! A webhook reads bytes into a [`Review`], asks a [`Ruleset`], and writes the [`palisade_model::Decision`] back as the
//! API server expects it. The background scan asks the same ruleset about objects that exist, and `palisade check` the
//! same policies about files, so the three agree. Deliberately absent: sockets, clocks, watch caches.

mod deciding;
mod index;
mod json;
mod message;
mod response;
mod review;
mod roles;
mod ruleset;
mod settling;

pub use deciding::Answer;
pub use response::{answer_failure, response};
pub use review::{Limits, Review, ReviewError, Trouble};
pub use roles::{Roles, roles_of};
pub use ruleset::Ruleset;
