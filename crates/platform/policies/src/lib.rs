//! Where policies come from: files, folders, packs, a cluster; loaded by every language, replaced only by sound ones.
//!
//! [`languages`] is the table of policy languages. [`load()`] compiles what a run names; [`Catalogue`] does it again
//! whenever something changes, for a server, and never lets a broken policy replace a sound one. Deliberately absent:
//! judging, and whom the policies come from in a cluster.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests take the time as it is"))]

pub mod catalogue;
pub mod languages;
pub mod load;
pub mod packs;
pub mod programs;
mod strangers;
pub mod waiver_file;

pub use catalogue::{Catalogue, DocumentState, Edition, Given, Place, Revision, Sources, State};
pub use load::{Policies, load, policies};
pub use strangers::UNCLAIMED;
