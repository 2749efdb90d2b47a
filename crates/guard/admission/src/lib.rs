//! Kubernetes admission without a server: reviews in, decisions out.
//!
//! A webhook reads bytes into a [`Review`], asks a [`Ruleset`], and writes the [`palisade_model::Decision`] back as the
//! API server expects it. The background scan asks the same ruleset about objects that exist, and `palisade check` the
//! same policies about files, so the three agree. Deliberately absent: sockets, clocks, watch caches.

mod ruleset;

pub use ruleset::Ruleset;
