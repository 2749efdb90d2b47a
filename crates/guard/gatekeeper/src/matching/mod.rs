//! Which objects a constraint or a mutator is about: `spec.match` and `applyTo`.

mod apply_to;
mod criteria;
mod target;
#[cfg(test)]
mod tests;
mod wildcard;

pub(crate) use apply_to::ApplyTo;
pub(crate) use criteria::{Criteria, Kinds};
pub(crate) use target::{Origin, Target};
pub(crate) use wildcard::Wildcard;
