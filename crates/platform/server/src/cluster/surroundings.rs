//! What policies may look into, and who has which roles: the watch caches of a cluster, or nothing.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use palisade_admission::{Roles, roles_of};
use palisade_kube::{Caches, Outside};
use palisade_model::Value;
use palisade_policy::{LookupError, Lookups, Unanswered, UserInfo, forward_lookups};

use crate::admission::Surroundings;

/// How long the bindings are used before they are taken from the caches anew: collecting them costs more than a review.
const FRESH: Duration = Duration::from_secs(1);
const RBAC: &str = "rbac.authorization.k8s.io";

/// A cluster as policies see it, which may not have answered yet; or none.
pub(super) struct ClusterView {
    caches: Option<Arc<OnceLock<Caches>>>,
    outside: Outside,
    bindings: Mutex<Option<(Instant, Arc<Bindings>)>>,
}

#[derive(Default)]
struct Bindings {
    namespaced: Vec<Value>,
    cluster: Vec<Value>,
}

impl ClusterView {
    pub(super) fn new(caches: Option<Arc<OnceLock<Caches>>>, outside: Outside) -> Self {
        Self { caches, outside, bindings: Mutex::default() }
    }

    fn caches(&self) -> Result<&Caches, &'static Unanswered> {
        let caches = self.caches.as_ref().ok_or(&Unanswered("this server is connected to no cluster"))?;
        caches.get().ok_or(&Unanswered("the API server has not answered yet"))
    }

    fn lookups(&self) -> &dyn Lookups {
        match self.caches() {
            Ok(caches) => caches,
            Err(unanswered) => unanswered,
        }
    }

    fn bindings(&self, caches: &Caches) -> Arc<Bindings> {
        let mut kept = self.bindings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bindings)) = kept.as_ref().filter(|(taken, _)| taken.elapsed() < FRESH) {
            return bindings.clone();
        }
        let all = |kind: &str| {
            let kind = caches.discovery().named(RBAC, kind).cloned();
            kind.map(|kind| caches.objects_of(&kind, "")).unwrap_or_default()
        };
        let bindings = Arc::new(Bindings { namespaced: all("RoleBinding"), cluster: all("ClusterRoleBinding") });
        *kept = Some((Instant::now(), bindings.clone()));
        bindings
    }
}

impl Lookups for ClusterView {
    forward_lookups!(|this| this.lookups(); get, list, objects, call, http, global_context, image, namespace);

    /// Other hosts are reached without a cluster too.
    fn send(&self, request: &Value) -> Result<Value, LookupError> {
        (self.outside.send)(request)
    }
}

impl Surroundings for ClusterView {
    fn roles(&self, user: &UserInfo) -> Roles {
        let Ok(caches) = self.caches() else { return Roles::default() };
        let bindings = self.bindings(caches);
        roles_of(user, &bindings.namespaced, &bindings.cluster)
    }
}

#[cfg(test)]
mod tests;
