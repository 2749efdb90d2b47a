//! One judge for every door: what policies say of a request, and what that leads to.
//!
//! A [`Ruleset`] is asked at a [`Door`]: at admission, by the scan of what exists, by controllers, about files. The door
//! says which policies are asked and what counts; everything else (overrides, waivers, baselines, fingerprints, what a
//! violation leads to) is the same everywhere, so that a policy gives one verdict everywhere. Deliberately absent: words
//! for people (`palisade-admission`, the reporters), files, clocks, sockets.

pub mod baseline;
pub mod codes;
mod door;
pub mod elements;
pub mod finding;
pub mod glob;
mod identity;
mod index;
mod judge;
mod ruleset;
pub mod selection;
mod settling;
pub mod waiver;

pub use door::{Door, Sheet};
pub use elements::Place;
pub use finding::{About, finding, parts};
pub use judge::{Answer, Answers};
pub use ruleset::Ruleset;
pub use settling::{Consequence, Judgement, Settled};
