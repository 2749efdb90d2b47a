//! Mutators: Assign, AssignMetadata, ModifySet, AssignImage, and the system that applies them until nothing changes.
//!
//! Each mutator is a policy of its own, so that a change is attributed to what made it. Gatekeeper goes through all of
//! them again until an object settles; the last mutator's policy does that on behalf of the system.

mod change;
mod conflicts;
mod image;
mod location;
mod mutator;
mod policy;
mod read;
mod system;
#[cfg(test)]
mod tests;

pub(crate) use policy::MutatorPolicy;
pub(crate) use system::{Standing, System, load};
