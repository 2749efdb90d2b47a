//! What Palisade may do in a cluster, and why.

/// The label of ClusterRole objects that are added to Palisade's own role.
pub const AGGREGATION_LABEL: &str = "rbac.palisade.dev/aggregate-to-palisade";
