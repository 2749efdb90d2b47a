//! The side of the server that faces a Kubernetes cluster: look-ups, policies, webhooks, controllers.
//!
//! Without a cluster nothing of it runs, and policies that look something up answer with an error.

use std::sync::Arc;

use palisade_admission::Roles;
use palisade_policy::{Cluster, UserInfo};
use rustls::server::ResolvesServerCert;

use crate::admission::Surroundings;
use crate::context::Context;
use crate::error::ServerError;
use crate::serve::tasks::Tasks;

/// What the rest of the server needs to know of the cluster.
pub(crate) struct ClusterSide {}

impl ClusterSide {
    /// What policies may look into.
    pub(crate) fn surroundings(&self) -> Arc<dyn Surroundings> {
        Arc::new(NoCluster)
    }

    /// The certificate for admission; none without a cluster.
    pub(crate) fn certificate(&self) -> Option<Arc<dyn ResolvesServerCert>> {
        None
    }
}

/// Starts what talks to the cluster, where there is one.
pub(crate) async fn start(_context: &Context, _tasks: &mut Tasks) -> Result<ClusterSide, ServerError> {
    Ok(ClusterSide {})
}

/// No cluster: everything that a policy may ask for is unavailable.
struct NoCluster;

impl Cluster for NoCluster {}

impl Surroundings for NoCluster {
    fn roles(&self, _: &UserInfo) -> Roles {
        Roles::default()
    }
}
