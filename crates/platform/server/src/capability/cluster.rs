//! The cluster: its policies, webhooks, background scan, generation and clean-up, over [`crate::cluster`].

use palisade_identity::{Permission, Reach, Role};

use super::{Capability, Ground, Plug};

/// Start scans.
const RUN_SCANS: Permission =
    Permission::new("run-scans", "start scans", Reach::Platform, &[Role::Operator, Role::Admin]);

/// The capability.
pub(super) const CAPABILITY: Capability = Capability {
    permissions: &[RUN_SCANS],
    ..Capability::new("cluster", "policies, webhooks and controllers of a Kubernetes cluster", plug)
};

fn plug(ground: &Ground<'_>, plug: &mut Plug) {
    if let Some(work) = ground.cluster.work(ground.context, ground.bundles.clone()) {
        plug.task("the cluster", work);
    }
}
