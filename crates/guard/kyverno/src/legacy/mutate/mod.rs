//! `mutate` rules: how a resource, or existing objects, come out of a rule.

mod strategic;

pub use strategic::{MergeError, strategic_merge};
