//! What policies may look into, and who has which roles: the watch caches of a cluster, or nothing.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use palisade_admission::{Roles, roles_of};
use palisade_kube::Caches;
use palisade_model::Value;
use palisade_policy::{ApiCall, LookupError, Lookups, ObjectQuery, UserInfo};

use crate::admission::Surroundings;

/// How long the bindings are used before they are taken from the caches anew: collecting them costs more than a review.
const FRESH: Duration = Duration::from_secs(1);
const RBAC: &str = "rbac.authorization.k8s.io";

/// A cluster as policies see it, which may not have answered yet; or none.
pub(super) struct ClusterView {
    caches: Option<Arc<OnceLock<Caches>>>,
    bindings: Mutex<Option<(Instant, Arc<Bindings>)>>,
}

#[derive(Default)]
struct Bindings {
    namespaced: Vec<Value>,
    cluster: Vec<Value>,
}

impl ClusterView {
    pub(super) fn new(caches: Option<Arc<OnceLock<Caches>>>) -> Self {
        Self { caches, bindings: Mutex::default() }
    }

    fn caches(&self, what: &str) -> Result<&Caches, LookupError> {
        let remedy = match &self.caches {
            None => "this server is connected to no cluster",
            Some(caches) => match caches.get() {
                Some(caches) => return Ok(caches),
                None => "the API server has not answered yet",
            },
        };
        Err(LookupError::Unavailable { what: what.to_owned(), remedy: remedy.to_owned() })
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
    fn get(&self, query: &ObjectQuery) -> Result<Value, LookupError> {
        self.caches(&query.resource)?.get(query)
    }

    fn list(&self, query: &ObjectQuery) -> Result<Vec<Value>, LookupError> {
        self.caches(&query.resource)?.list(query)
    }

    fn objects(&self) -> Result<Value, LookupError> {
        self.caches("the list of all objects")?.objects()
    }

    fn call(&self, call: &ApiCall) -> Result<Value, LookupError> {
        self.caches(&call.url)?.call(call)
    }

    fn http(&self, call: &ApiCall) -> Result<Value, LookupError> {
        self.caches(&call.url)?.http(call)
    }
}

impl Surroundings for ClusterView {
    fn roles(&self, user: &UserInfo) -> Roles {
        let Ok(caches) = self.caches("roles") else { return Roles::default() };
        let bindings = self.bindings(caches);
        roles_of(user, &bindings.namespaced, &bindings.cluster)
    }
}
