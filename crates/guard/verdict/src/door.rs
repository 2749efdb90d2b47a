//! Where a request is put before the policies, and what that changes.

use palisade_policy::{FailurePolicy, Phase, Policy, Request};

/// Where a request is put before the policies.
#[derive(Clone, Copy, Debug)]
pub enum Door {
    /// Before a cluster: the policies that stand there and whose reach selects the request, of one failure policy where
    /// it says which. Existing targets are a controller's to change, when the request has passed.
    Admission {
        /// In this order; a later phase sees the object as the earlier ones left it.
        phases: &'static [Phase],
        /// Only policies with this failure policy are asked; all where none is named.
        asked: Option<FailurePolicy>,
    },
    /// What exists: the policies that look at existing objects.
    Scan,
    /// All policies that select the object, for those who bring about what rules of a phase want.
    Controller(Phase),
}

impl Door {
    /// Whether a request may be changed on its way in.
    pub const MUTATE: Self = Self::Admission { phases: &[Phase::Mutate], asked: None };
    /// Whether a request may happen.
    pub const VALIDATE: Self = Self::Admission { phases: &[Phase::Validate], asked: None };

    /// The phases that are asked, in order.
    pub(crate) const fn phases(&self) -> &[Phase] {
        match self {
            Self::Admission { phases, .. } => phases,
            Self::Scan => &[Phase::Validate],
            Self::Controller(phase) => std::slice::from_ref(phase),
        }
    }

    /// Whether the policy is asked here.
    pub(crate) fn admits(&self, policy: &dyn Policy, request: &Request) -> bool {
        let reach = &policy.info().reach;
        match self {
            Self::Admission { asked, .. } => {
                // A reach tells requests of the Kubernetes API apart, and nothing else.
                let selects = || request.as_admission().is_none_or(|admission| reach.selects(admission));
                reach.admission && asked.is_none_or(|asked| asked == reach.failure_policy) && selects()
            }
            // What exists is of no operation: the policy itself knows what it makes of that.
            Self::Scan => reach.background,
            Self::Controller(_) => true,
        }
    }
}
