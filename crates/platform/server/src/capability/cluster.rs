//! The cluster: its policies, webhooks, background scan, generation and clean-up, over [`crate::cluster`].

use palisade_identity::{Permission, Reach, Role};
use palisade_kube::KubernetesConfig;

use super::{Capability, Ground, Plug, Settings};

/// Start scans.
const RUN_SCANS: Permission =
    Permission::new("run-scans", "start scans", Reach::Platform, &[Role::Operator, Role::Admin]);

/// The capability.
pub(super) const CAPABILITY: Capability = Capability {
    settings: &[Settings::of::<KubernetesConfig>(KubernetesConfig::SECTION)],
    permissions: &[RUN_SCANS],
    tables: &["states"],
    ..Capability::new("cluster", "policies, webhooks and controllers of a Kubernetes cluster", plug)
};

fn plug(ground: &Ground<'_>, plug: &mut Plug) {
    if let Some(work) = ground.cluster.work(ground.context, ground.bundles.clone()) {
        plug.task("the cluster", work);
    }
}
